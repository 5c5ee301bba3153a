"""Researchers read in words what was decided."""

from datetime import date

from survey.protocol.fields import Protocol
from survey.protocol.summary import Numbers, in_words


def words(protocol=None, *, arms=2, questions=15):
    numbers = Numbers(arms=arms, profiles=200, minimum_profile=5, questions=questions, quota=100)
    return {each.term: each.words for each in in_words(protocol or Protocol(), numbers)}


def test_a_study_like_the_paper_s_is_said_in_a_few_lines():
    assert words() == {
        "Profiles": "200 profiles of 5 movies or more.",
        "Who takes part": "Everybody who has the link; there are 100 places.",
        "Language": "The pages speak the browser’s language, or the one that a person chooses.",
        "Questions": "Each person gets 15 questions that count.",
        "Answers": "One of two movies. An answer that was given stays.",
        "Who falls silent": "After 2 hours without a sign of life, the questions that were not "
        "answered are given to others.",
        "Erasing": "Everybody can have all answers erased at any time.",
    }


def test_practice_checks_and_repeats_are_told_apart():
    asked = Protocol(n_practice=1, n_checks=3, checks_to_pass=2, n_repeats=2)
    assert words(asked)["Questions"] == (
        "Each person gets 1 question for practice, 15 questions that count (2 of them asked again "
        "with the sides swapped) and 3 checks saying which movie to choose (2 must be answered so)."
    )


def test_what_is_asked_beside_a_choice_is_listed():
    asked = Protocol(third_answer="tie", ask_familiarity=True, ask_comment=True, changes="finish")
    assert words(asked)["Answers"] == (
        "One of two movies; a third button says that both fit equally well or badly. Beside it: "
        "how well each movie is known and a comment, if one likes. Every answer can be changed "
        "until the end."
    )


def test_profiles_are_described_by_size_and_era():
    asked = Protocol(maximum_profile=50, era_from=1980, era_to=1999)
    assert words(asked)["Profiles"] == (
        "200 profiles of 5 to 50 movies, whose median year is from 1980 to 1999."
    )


def test_only_of_more_than_two_systems_the_pairs_are_said():
    assert "Systems" not in words()
    assert words(arms=3)["Systems"].startswith("Every pair of the 3 on each profile")
    assert words(Protocol(pairs="balanced"), arms=4)["Systems"] == (
        "One pair of the 4 on each profile, every pair on as many, give or take one."
    )


def test_a_panel_a_language_and_a_last_day_are_named():
    asked = Protocol(
        entry="panel", panel={"name": "Prolific"}, language="zh-hans", return_after=1440,
        withdraw_until=date(2027, 1, 31), before=[{}], after=[{}, {}],
    )  # fmt: skip
    found = words(asked)
    assert found["Who takes part"].startswith("People whom Prolific sends, each once;")
    assert found["Language"] == "All pages are in Chinese."
    assert found["Erasing"].endswith("until 31 January 2027.")
    assert found["Questionnaires"] == "1 item before the questions and 2 items after the questions."
    assert found["Who falls silent"].startswith("After 1 day without")
