"""What an answer stores, and which answers change nothing."""

from datetime import timedelta

import pytest

from survey.errors import StudyClosed, StudyError
from survey.models import Judgment
from survey.selectors.question import question_page
from survey.services.answering import AnswerResult, record_judgment
from survey.services.launching import move_study
from survey.services.visiting import mark_shown
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def judge_all(appraiser, choice="left", now=NOW):
    while page := question_page(appraiser):
        record_judgment(
            appraiser=appraiser, assignment_key=page["assignment_key"], choice=choice, now=now
        )


@pytest.mark.parametrize("choice", ["left", "right"])
def test_a_judgment_names_the_arm_on_the_chosen_side(ada, choice):
    key = question_page(ada.appraiser)["assignment_key"]
    outcome = record_judgment(appraiser=ada.appraiser, assignment_key=key, choice=choice, now=NOW)
    judgment = Judgment.objects.get(assignment__key=key)
    assert outcome is AnswerResult.RECORDED
    assert (judgment.choice, judgment.answered_at) == (choice, NOW)
    chosen_is_left = judgment.chosen_arm_id == judgment.assignment.left_arm_id
    assert chosen_is_left == (choice == "left")
    question = judgment.assignment.question
    assert judgment.chosen_arm_id in {question.first_arm_id, question.second_arm_id}


def test_a_second_submit_changes_nothing(ada):
    key = question_page(ada.appraiser)["assignment_key"]
    first = {"appraiser": ada.appraiser, "assignment_key": key, "choice": "left", "now": NOW}
    record_judgment(**first)
    again = record_judgment(**first | {"choice": "right", "now": NOW + timedelta(1)})
    assert again is AnswerResult.REPEATED
    assert list(Judgment.objects.values_list("choice", "answered_at")) == [("left", NOW)]


@pytest.mark.parametrize("key", ["", "7", "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_key_is_stale(ada, key):
    outcome = record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    assert outcome is AnswerResult.STALE
    assert not Judgment.objects.exists()


def test_nobody_answers_for_somebody_else(ada, ben):
    key = question_page(ada.appraiser)["assignment_key"]
    outcome = record_judgment(appraiser=ben.appraiser, assignment_key=key, choice="left")
    assert outcome is AnswerResult.STALE
    assert not Judgment.objects.exists()


def test_a_choice_that_is_no_side_is_refused(ada):
    key = question_page(ada.appraiser)["assignment_key"]
    with pytest.raises(StudyError):
        record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="both")


def test_the_last_answer_finishes(ada):
    judge_all(ada.appraiser)
    ada.appraiser.refresh_from_db()
    assert ada.appraiser.finished_at == NOW
    assert Judgment.objects.count() == 15


def test_a_closed_study_takes_no_answer_but_still_knows_the_given_ones(study, ada):
    answered, waiting = ada.appraiser.assignments.order_by("position")[:2]
    record_judgment(appraiser=ada.appraiser, assignment_key=answered.key, choice="left")
    move_study(study=study, to="closed", now=NOW)
    with pytest.raises(StudyClosed):
        record_judgment(appraiser=ada.appraiser, assignment_key=waiting.key, choice="left")
    again = record_judgment(appraiser=ada.appraiser, assignment_key=answered.key, choice="left")
    assert again is AnswerResult.REPEATED
    assert study.closed_at == NOW


def test_a_study_is_closed_once(study):
    move_study(study=study, to="closed")
    with pytest.raises(StudyError):
        move_study(study=study, to="closed")


def test_answering_asks_a_constant_number_of_queries(ada, django_assert_num_queries):
    key = question_page(ada.appraiser)["assignment_key"]
    with django_assert_num_queries(
        7
    ):  # the savepoint of the transaction and its release among them
        record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")


@pytest.mark.parametrize(
    ("sent", "kept"), [(29_000, 29_000), (0, 0), (30_900, 30_900), (31_100, None), (-1, None)]
)
def test_a_visible_time_is_kept_unless_it_cannot_be_true(ada, sent, kept):
    """30 seconds passed on the server; clocks may differ by one."""
    key = ada.appraiser.assignments.get(position=1).key
    mark_shown(appraiser=ada.appraiser, assignment_key=key, now=NOW)
    record_judgment(
        appraiser=ada.appraiser,
        assignment_key=key,
        choice="left",
        visible_ms=sent,
        now=NOW + timedelta(seconds=30),
    )
    assert Judgment.objects.get().visible_ms == kept


def test_a_time_on_a_question_that_was_never_sent_is_dropped(ada):
    key = ada.appraiser.assignments.get(position=1).key
    record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left", visible_ms=10)
    assert Judgment.objects.get().visible_ms is None
