"""What happens to returned assignments when their appraiser comes back."""

from datetime import timedelta

import pytest

from survey.models import Appraiser, Judgment
from survey.selectors.capacity import places_left
from survey.selectors.question import question_page
from survey.services.answering import AnswerResult, record_judgment
from survey.services.dropouts import reclaim_assignments
from survey.services.launching import move_study
from tests.factories import NOW, StudyFactory
from tests.survey.taking_part import LATER, answer, given, join, left_of, visit

pytestmark = pytest.mark.django_db


def test_coming_back_in_time_finds_the_same_questions(small):
    who = join(small)
    answer(who, 2)
    before = list(who.assignments.values_list("pk", "key", "question", "left_arm"))
    join(small, now=LATER)
    assert visit(who, LATER)
    assert list(who.assignments.values_list("pk", "key", "question", "left_arm")) == before
    assert not who.assignments.exclude(returned_at=None).exists()


def test_a_question_given_to_others_meanwhile_is_replaced_at_its_position(small):
    who = join(small)
    answer(who, 1)
    held = {row.position: row for row in who.assignments.filter(judgment=None)}
    for _ in range(3):
        join(small, now=LATER)
    Appraiser.objects.exclude(pk=who.pk).update(seen_at=LATER + timedelta(minutes=119))
    visit(who, LATER + timedelta(minutes=119))
    again = {row.position: row for row in who.assignments.filter(judgment=None)}
    assert set(again) <= set(held)
    changed = [place for place, row in again.items() if row.question_id != held[place].question_id]
    assert all(again[place].key != held[place].key for place in changed)
    assert len({row.question.user for row in who.assignments.all()}) == who.assignments.count()
    assert max(given(small)) <= 3


def worked_off(study, who):
    """Others take all places while somebody is away, and answer."""
    while places_left(study, now=LATER):
        answer(join(study, now=LATER), now=LATER)
    who.refresh_from_db()


def test_coming_back_too_late_completes_with_the_answers_given(small):
    who = join(small)
    answer(who, 3)
    worked_off(small, who)
    visit(who, LATER)
    who.refresh_from_db()
    assert (who.outcome, who.finished_at) == ("done", LATER)
    assert who.assignments.count() == 3
    assert given(small) == [3] * 8
    assert abs(2 * sum(left_of(who)) - 3) == 1


def test_coming_back_too_late_without_an_answer_finds_no_place_but_may_later(small):
    who = join(small)
    worked_off(small, who)
    visit(who, LATER)
    assert question_page(who) is None
    assert (who.outcome, who.assignments.count()) == ("", 6)
    one = Appraiser.objects.exclude(pk=who.pk).first()
    Appraiser.objects.filter(pk=one.pk).update(outcome="failed")
    visit(who, LATER)
    answer(who, now=LATER)
    assert who.outcome == "done"
    assert given(small) == [3] * 8


def test_a_late_answer_counts_if_the_question_is_still_wanted(small):
    who = join(small)
    key = question_page(who)["assignment_key"]
    join(small, now=LATER)
    outcome = record_judgment(appraiser=who, assignment_key=key, choice="left", now=LATER)
    assert outcome is AnswerResult.RECORDED
    assert not who.assignments.exclude(returned_at=None).exists()


def test_a_late_answer_to_a_full_question_changes_nothing(small):
    who = join(small)
    answer(who, 2)
    key = question_page(who)["assignment_key"]
    worked_off(small, who)
    before = Judgment.objects.count()
    outcome = record_judgment(appraiser=who, assignment_key=key, choice="left", now=LATER)
    assert outcome is AnswerResult.TAKEN
    assert Judgment.objects.count() == before
    assert given(small) == [3] * 8


def test_a_late_answer_is_refused_if_another_question_replaced_its_own(small):
    who = join(small)
    shown = who.assignments.first()
    who.assignments.update(returned_at=NOW)
    for place in "abc":
        facts = {"token_digest": place, "completion_code": place, "consented_at": NOW}
        other = small.appraisers.create(number=ord(place), **facts)
        other.assignments.create(question=shown.question, left_arm=shown.left_arm, position=1)
    outcome = record_judgment(appraiser=who, assignment_key=shown.key, choice="left", now=NOW)
    assert outcome is AnswerResult.TAKEN
    instead = who.assignments.get(pk=shown.pk)
    assert instead.question_id != shown.question_id
    assert instead.key != shown.key


def test_replaced_cards_have_a_new_key_and_count_as_not_shown(small):
    """Sides that are swapped are other cards too: an answer on its way meant the one over there."""
    who = join(small)
    answer(who, 1)
    first, second = who.assignments.order_by("position")[:2]
    question = second.question
    arms = (question.first_arm_id, question.second_arm_id)
    turned = arms[first.left_arm_id != first.question.first_arm_id]
    held = who.assignments.filter(judgment=None)
    held.update(returned_at=NOW, shown_at=NOW)
    held.filter(pk=second.pk).update(left_arm=turned)
    visit(who, NOW)
    again = who.assignments.get(pk=second.pk)
    assert (again.question_id, again.left_arm_id != turned) == (second.question_id, True)
    assert again.key != second.key
    assert again.shown_at is None
    outcome = record_judgment(appraiser=who, assignment_key=second.key, choice="left", now=NOW)
    assert outcome is AnswerResult.STALE


def test_nobody_is_given_anything_again_while_the_study_rests(small):
    who = join(small)
    join(small, now=LATER)
    move_study(study=small, to="paused")
    visit(who, LATER)
    assert who.assignments.exclude(returned_at=None).count() == 6


def test_a_repeat_is_replaced_or_dropped_with_its_question(mixed):
    """Whatever is dropped or replaced while one is away: no repeat without its question."""
    for answers in range(0, 12, 2):
        who = join(mixed)
        answer(who, answers)
    later = LATER
    while places_left(mixed, now=later):
        answer(join(mixed, now=later), now=later)
    for who in Appraiser.objects.filter(finished_at=None):
        visit(who, later)
        main = {row.question_id: row.left_arm_id for row in who.assignments.filter(kind="main")}
        for row in who.assignments.filter(kind="repeat", returned_at=None):
            assert main[row.question_id] != row.left_arm_id
    assert set(given(mixed)) == {3}


@pytest.mark.parametrize(("profiles", "questions"), [(8, 6), (20, 15)])
def test_joining_and_coming_back_ask_as_many_queries_however_many_questions(
    profiles, questions, django_assert_num_queries
):
    study = StudyFactory(n_profiles=profiles, questions_per_appraiser=questions, n_repeats=2)
    who = join(study)
    answer(who, 2)
    with django_assert_num_queries(12):  # one of them returns what the first one held
        join(study, now=LATER)
    with django_assert_num_queries(11):
        reclaim_assignments(appraiser=who, now=LATER)
    with django_assert_num_queries(1):
        reclaim_assignments(appraiser=who, now=LATER)
