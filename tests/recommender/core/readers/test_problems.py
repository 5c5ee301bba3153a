"""One report names the first problems and counts all of them."""

import pytest

from recommender.core.errors import SourceError, SourceProblems
from recommender.core.readers.problems import PROBLEMS_SHOWN, Problems


def problem(line):
    return SourceError("is wrong", file="a.csv", line=line, field="item", remedy="Correct it.")


def test_no_problem_is_no_error():
    Problems("a.csv").raise_any()


def test_one_problem_is_raised_as_it_is():
    problems, only = Problems("a.csv"), problem(3)
    problems.add(only)
    with pytest.raises(SourceError) as raised:
        problems.raise_any()
    assert raised.value is only


def test_a_cause_follows_one_problem_on_the_same_line():
    problems = Problems("a.csv", causes=["Zeros mean nothing."])
    problems.add(problem(3))
    text = str(problems.error())
    assert text == "a.csv:3: item: is wrong. Correct it. Zeros mean nothing."


def test_a_report_has_the_number_the_causes_and_the_first_problems():
    problems = Problems("a.csv", causes=["Zeros mean nothing."])
    for line in range(2, 1500):
        problems.add(problem(line))
    error = problems.error()
    lines = str(error).splitlines()
    assert lines[0] == (
        f"a.csv has 1,498 problems, the first {PROBLEMS_SHOWN}; nothing was imported. "
        "Zeros mean nothing."
    )
    assert lines[1:] == [f"  {problem(line)}" for line in range(2, PROBLEMS_SHOWN + 2)]
    assert (error.file, error.line, error.field) == ("a.csv", 2, "item")


def test_problems_of_several_files_are_collected():
    problems = Problems("folder")
    with problems.collecting():
        raise SourceProblems("a.csv", [problem(1)], 30, ["A cause."])
    with problems.collecting():
        raise problem(9)
    assert (problems.count, [each.line for each in problems.first]) == (31, [1, 9])
    assert problems.causes == ["A cause."]
