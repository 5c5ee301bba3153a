"""What counts and what does not: third answers, failed checks, repeats, people who withdrew."""

import re
from datetime import date

import pytest

from survey.models import Appraiser, Assignment, Judgment, Study, Withdrawal
from survey.selectors.results import study_results
from survey.selectors.studies import study_list
from survey.services.joining import join_study
from survey.services.launching import launch_study
from survey.stats.intervals import proportion
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db


def decide(study, **fields):
    """Give the study a protocol behind the back of its services, before anybody joins."""
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()


def judge(study, choices, *, kind="real", **extras):
    """One appraiser whose n-th main answer is the n-th letter: first arm, second arm, tie."""
    appraiser, _ = join_study(study=study, kind=kind, now=NOW)
    main = appraiser.assignments.filter(kind="main").select_related("question")
    for assignment, letter in zip(main.order_by("position"), choices, strict=False):
        answer(assignment, letter, **extras)
    return appraiser


def answer(assignment, letter, **extras):
    """A judgment as services would store it; here only the counting is looked at."""
    question = assignment.question
    arm = {"a": question.first_arm, "b": question.second_arm, "t": None}[letter]
    side = "left" if arm == assignment.left_arm else "right"
    Judgment.objects.create(
        assignment=assignment, choice=side if arm else "tie", chosen_arm=arm, answered_at=NOW,
        **extras,
    )  # fmt: skip


def ask_again(appraiser, letters):
    """Repeat his first questions with the sides swapped, instead of those that were drawn."""
    appraiser.assignments.filter(kind="repeat").delete()
    main = appraiser.assignments.filter(kind="main").select_related("question")
    for place, first in enumerate(main.order_by("position")[: len(letters)]):
        arms = {first.question.first_arm, first.question.second_arm} - {first.left_arm}
        repeat = Assignment.objects.create(
            appraiser=appraiser, question=first.question, kind="repeat", position=90 + place,
            left_arm=arms.pop(),
        )  # fmt: skip
        answer(repeat, letters[place])


def fail(appraiser):
    Appraiser.objects.filter(pk=appraiser.pk).update(finished_at=NOW, outcome="failed")


def read(client, path):
    page = client.get(path).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_third_answers_are_counted_apart_and_by_halves(study):
    decide(study, third_answer="tie")
    judge(study, "aaaaaabbttttttt")
    found = study_results(study, kind="real")
    first, second = found.arms
    assert (found.n_judgments, found.n_ties, found.n_decided) == (15, 7, 8)
    assert (first.wins, first.judged, first.ties, first.rate) == (6, 8, 7, 0.75)
    assert first.rate_with_ties == (6 + 3.5) / 15
    assert first.rate_with_ties + second.rate_with_ties == 1
    assert found.side_balance.total == 8


def test_where_nobody_chose_there_is_no_rate(study):
    decide(study, third_answer="tie")
    judge(study, "ttt")
    found = study_results(study, kind="real")
    assert [arm.rate for arm in found.arms] == [None, None]
    assert found.p_value is found.side_balance is found.leader is None
    assert [arm.rate_with_ties for arm in found.arms] == [0.5, 0.5]


def test_who_failed_the_checks_is_left_out_and_said_to_be(study):
    decide(study, n_checks=2, checks_to_pass=1)
    judge(study, "aaaaaaaaab")
    fail(judge(study, "bbbbbbbbbb"))
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.kinds["real"], found.n_questions_judged) == (10, 10, 10)
    assert (found.n_failed, found.n_failed_judgments, found.n_finished) == (1, 10, 0)
    assert (found.arms[0].rate, found.arms[0].rate_with_failed) == (0.9, 0.45)
    (line,) = study_list()
    assert (line.n_judgments, line.n_finished) == (10, 0)


@pytest.mark.parametrize("kind", ["practice", "check", "repeat"])
def test_only_main_questions_enter_a_figure(study, kind):
    judge(study, "ab")
    appraiser = judge(study, "")
    extra = appraiser.assignments.order_by("position").first()
    Assignment.objects.filter(pk=extra.pk).update(
        kind=kind, expected="left" if kind == "check" else ""
    )
    answer(extra, "a")
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.kinds["real"], found.n_questions_judged) == (2, 2, 2)
    assert study_list()[0].n_judgments == 2


def test_repeats_tell_how_often_the_same_answer_came_again(study):
    decide(study, n_repeats=4, third_answer="tie")
    ask_again(judge(study, "abtt"), "aata")
    ask_again(judge(study, "ab", kind="simulated"), "ba")
    found = study_results(study, kind="real")
    # The same movie, another one, neither again, and a movie instead of neither.
    assert found.repeats == proportion(2, 4)
    assert found.n_judgments == 4
    assert study_results(study, kind="simulated").repeats == proportion(0, 2)


def test_a_study_without_repeats_shows_none(study):
    judge(study, "ab")
    assert study_results(study, kind="real").repeats is None


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
    rows = {row.words: row.counts for row in found.familiarity}
    assert rows["seen it"] == [6, 0]
    assert rows["never heard of it"] == [0, 6]
    assert "not said" not in rows
    assert found.sureness == []


def test_confidence_is_counted_from_one_to_five_with_what_was_not_said(study):
    decide(study, ask_confidence=True)
    judge(study, "aaa", confidence=5)
    judge(study, "aa")
    rows = [(row.words, row.counts) for row in study_results(study, kind="real").sureness]
    assert rows[4:] == [("5, very sure", [3]), ("not said", [2])]


def test_who_withdrew_is_counted_by_kind(study):
    for kind, answers in (("real", 4), ("real", 6), ("pilot", 5)):
        Withdrawal.objects.create(study=study, kind=kind, on=date(2026, 3, 2), n_judgments=answers)
    found = study_results(study, kind="real")
    assert (found.n_withdrawn, found.n_erased) == (2, 10)


def test_the_page_says_all_of_it_in_words(client, rita, study):
    decide(
        study, third_answer="tie", n_checks=2, checks_to_pass=1, n_repeats=2, ask_familiarity=True,
        ask_confidence=True, era_from=1980, maximum_profile=300, changes="finish",
    )  # fmt: skip
    ask_again(judge(study, "aaaaaabbtt", confidence=4), "ab")
    fail(judge(study, "bbb"))
    Withdrawal.objects.create(study=study, kind="real", on=date(2026, 3, 2), n_judgments=7)
    client.force_login(rita)
    page = read(client, "/research/films/")
    for words in (
        "Autoencoder was chosen over User-user KNN in 75.0 % of 8 judgments",
        "In 2 more judgments both fitted equally well or badly.",
        "With half of them counted for each, Autoencoder comes to 70.0 % of 10.",
        "Left out of every figure: 3 judgments of 1 person who answered fewer than 1 of 2",
        "With them, Autoencoder comes to 54.5 %; without them, to 75.0 %.",
        "1 person withdrew and had 7 answers erased.",
        "1 of 2 repeated questions",
        "Different movies named",
        "How well they knew each system’s movies",
        "How sure they were of the choice",
        "20 profiles of 5 to 300 movies, whose median year is 1980 or later.",
        "Every answer can be changed until the end.",
    ):
        assert words in page, words


def test_of_three_arms_the_page_claims_no_winner(client, rita):
    from tests.survey.drafts import prepared, publish

    draft = prepared(systems=("autoencoder", "user-knn", "bias"))
    publish(draft)
    study = launch_study(study=draft)
    judge(study, "aaaaaaaatt")
    client.force_login(rita)
    page = read(client, "/research/films/")
    assert (
        "Autoencoder, User-user KNN and Damped bias were compared two at a time, in 10 judgments."
        in page
    )
    assert "In 2 of these, people could not tell." in page
    assert "Same movie named" in page
    assert "not corrected for several comparisons" in page
    assert "The corrected p-values (Holm) hold for all 3 pairs together." in page
    assert "was chosen over" not in page.replace("First chosen", "").split("Pairs.")[0]


def test_results_take_a_few_queries_whatever_is_asked(django_assert_num_queries):
    study = StudyFactory(slug="all")
    decide(study, n_repeats=2, ask_familiarity=True, ask_confidence=True, third_answer="tie")
    for _ in range(2):
        with django_assert_num_queries(13):
            study_results(study, kind="real")
        ask_again(judge(study, "abt", confidence=3), "ab")
