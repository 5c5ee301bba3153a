"""Who took part, and how consistent the judgments are."""

from datetime import date

import pytest

from survey.models import Appraiser, Judgment, Withdrawal
from survey.selectors.counts import FAILED
from survey.selectors.results import study_results
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.stats.intervals import proportion
from tests.factories import NOW
from tests.survey.judging import ask_again, decide, judge

pytestmark = pytest.mark.django_db


def test_appraisers_are_counted_by_outcome_and_questions_once(study):
    for outcome in ("done", "failed", "screened", ""):
        appraiser = judge(study, "aaaa")
        finished = NOW if outcome else None
        Appraiser.objects.filter(pk=appraiser.pk).update(finished_at=finished, outcome=outcome)
    found = study_results(study, kind="real").trust
    counted = ("n_appraisers", "n_finished", "n_failed", "n_screened")
    assert [found[name] for name in counted] == [4, 1, 1, 1]
    judged = {row.assignment.question_id for row in Judgment.objects.exclude(FAILED)}
    assert (found["n_questions"], found["n_questions_judged"]) == (20, len(judged))


def test_a_preference_for_the_left_shows_in_the_side_balance_only(study):
    for _ in range(2):
        appraiser, _ = join_study(study=study)
        for assignment in appraiser.assignments.all():
            record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice="left")
    found = study_results(study, kind="real")
    assert found.trust["sides"].share.rate == 1.0
    assert found.trust["sides"].p_value < 1e-8
    assert 14 <= found.arms[0].wins <= 16


def test_repeats_count_how_often_the_answer_was_the_same(study):
    decide(study, n_repeats=4, third_answer="tie")
    ask_again(judge(study, "abtt"), "aata")
    ask_again(judge(study, "ab", kind="simulated"), "ba")
    found = study_results(study, kind="real")
    # The same movie, another one, neither again, and a movie instead of neither.
    assert found.trust["repeats"] == proportion(2, 4)
    assert found.n_judgments == 4
    assert study_results(study, kind="simulated").trust["repeats"] == proportion(0, 2)


def test_a_study_without_repeats_shows_none(study):
    judge(study, "ab")
    assert study_results(study, kind="real").trust["repeats"] is None


def test_withdrawals_are_counted_by_kind(study):
    for kind, answers in (("real", 4), ("real", 6), ("pilot", 5)):
        Withdrawal.objects.create(study=study, kind=kind, on=date(2026, 3, 2), n_judgments=answers)
    found = study_results(study, kind="real")
    assert (found.trust["n_withdrawn"], found.trust["n_erased"]) == (2, 10)
