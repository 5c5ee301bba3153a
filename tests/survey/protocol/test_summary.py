"""Researchers read the options of a study in words."""

from datetime import date

from survey.protocol.fields import Protocol, StudyPlan
from survey.protocol.panels import prolific_panel
from survey.protocol.summary import summarize

REMARK = {"name": "remark", "text": "Anything else?", "kind": "text"}


def words(protocol=None, *, arms=2):
    return summarize(protocol or Protocol(), StudyPlan(), arms=arms)


def test_the_study_of_the_paper_takes_a_few_lines():
    assert words() == {
        "Profiles": "200 profiles of 5 movies or more.",
        "Who takes part": "Anyone who has the link; there are 100 places.",
        "Language": "The pages are in the language of the browser, or the one that a person "
        "chooses.",
        "Questions": "Each person gets 15 questions that count.",
        "Answers": "One of two movies. An answer cannot be changed.",
        "Dropouts": "After 2 hours without activity, unanswered questions are given to other "
        "people.",
        "Withdrawal": "Everyone can have all their answers erased at any time.",
    }


def test_practice_checks_and_repeats_are_counted():
    asked = Protocol(n_practice=1, n_checks=3, checks_to_pass=2, n_repeats=2)
    assert words(asked)["Questions"] == (
        "Each person gets 1 practice question, 15 questions that count (2 of them asked again "
        "with the sides swapped) and 3 attention checks (2 must be answered correctly)."
    )


def test_what_is_asked_with_a_choice_is_listed():
    asked = Protocol(third_answer="tie", ask_familiarity=True, ask_comment=True, changes="finish")
    assert words(asked)["Answers"] == (
        "One of two movies; a third button says that both fit equally well or badly. Also asked: "
        "how well each movie is known and an optional comment. Every answer can be changed until "
        "the end."
    )


def test_profiles_are_described_by_size_and_era():
    limited = Protocol(maximum_profile=50, era_from=1980, era_to=1999)
    assert words(limited)["Profiles"] == (
        "200 profiles of 5 to 50 movies, with a median year from 1980 to 1999."
    )
    assert "1980 or later" in words(Protocol(era_from=1980))["Profiles"]
    assert "1999 or earlier" in words(Protocol(era_to=1999))["Profiles"]


def test_pairs_are_described_only_with_more_than_two_arms():
    assert "Systems" not in words()
    assert words(arms=3)["Systems"].startswith("Every pair of the 3")
    assert words(Protocol(pairs="balanced"), arms=4)["Systems"].startswith("One pair of the 4")


def test_a_panel_a_language_and_a_last_day_are_named():
    panel = prolific_panel(done="A", screened="B", failed="C")
    found = words(
        Protocol(
            entry="panel",
            panel=panel,
            language="zh-hans",
            return_after=1440,
            withdraw_until=date(2027, 1, 31),
            before=[REMARK],
            after=[REMARK, REMARK | {"name": "other"}],
        )
    )
    assert found["Who takes part"].startswith("People sent by Prolific, each once;")
    assert found["Language"] == "All pages are in Chinese."
    assert found["Withdrawal"].endswith("until 31 January 2027.")
    assert found["Questionnaires"] == "1 item before the questions and 2 items after the questions."
    assert found["Dropouts"].startswith("After 1 day without")
