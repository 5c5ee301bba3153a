"""Counts of what appraisers said beside their choices."""

import pytest

from survey.selectors.results import study_results
from tests.survey.judging import answer, decide, judge

pytestmark = pytest.mark.django_db


def test_familiarity_is_counted_for_the_movies_of_each_arm(study):
    decide(study, ask_familiarity=True)
    appraiser = judge(study, "")
    for assignment in appraiser.assignments.select_related("question")[:6]:
        first_left = assignment.left_arm == assignment.question.first_arm
        known = {"left_familiarity": "seen", "right_familiarity": "unknown"}
        answer(assignment, "a", **known if first_left else {
            "left_familiarity": "unknown", "right_familiarity": "seen",
        })  # fmt: skip
    found = study_results(study, kind="real")
    rows = found.familiarity
    assert rows["seen it"] == [6, 0]
    assert rows["never heard of it"] == [0, 6]
    assert "not said" not in rows
    assert found.confidence == {}


def test_confidence_is_counted_from_1_to_5_and_missing(study):
    decide(study, ask_confidence=True)
    judge(study, "aaa", confidence=5)
    judge(study, "aa")
    rows = list(study_results(study, kind="real").confidence.items())
    assert rows[4:] == [("5, very sure", [3]), ("not said", [2])]
