"""What an appraiser is asked, and what becomes of it when people leave, come back and fail."""

from collections import Counter
from datetime import timedelta

import pytest

from survey.errors import StudyFull
from survey.models import Appraiser, Assignment, Judgment
from survey.selectors.capacity import places, places_left
from survey.selectors.question import question_page
from survey.selectors.results import study_results
from survey.services.answering import AnswerResult, record_judgment
from survey.services.dropouts import reclaim_assignments
from survey.services.joining import join_study
from survey.services.status import pause_study, resume_study
from survey.services.visiting import note_activity
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=3)


def join(study, now=NOW, kind="real"):
    return join_study(study=study, kind=kind, now=now)[0]


def answer(who, count=100, now=NOW):
    """The next questions as they come, checks as they ask for; the page leads the way."""
    for _ in range(count):
        page = question_page(who)
        if page is None:
            break
        row = who.assignments.get(key=page.assignment_key)
        record_judgment(
            appraiser=who, assignment_key=row.key, choice=row.expected or "left", now=now
        )
    who.refresh_from_db()


def visit(who, now):
    """Opening one's page."""
    note_activity(appraiser=who, now=now)
    return reclaim_assignments(appraiser=who, now=now)


def given(study, kind="real"):
    return sorted(places(study, kind).pool.given.values())


def left_of(who):
    rows = who.assignments.filter(kind="main").exclude(judgment=None)
    return [row.left_arm_id == row.question.first_arm_id for row in rows.select_related("question")]


@pytest.fixture
def small(db):
    """Four appraisers with six questions each, on eight profiles: three of each question."""
    return StudyFactory(n_profiles=8, questions_per_appraiser=6, quota=4)


# -- places ------------------------------------------------------------------------------------


def test_a_full_study_has_every_question_answered_as_often_as_wanted(small):
    for _ in range(4):
        join(small)
    assert given(small) == [3] * 8
    assert places_left(small, now=NOW) == 0
    with pytest.raises(StudyFull):
        join(small)
    assert Appraiser.objects.count() == 4


def test_a_share_that_does_not_come_out_even_gives_some_questions_one_more():
    study = StudyFactory(n_profiles=7, questions_per_appraiser=5, quota=3)
    for _ in range(3):
        join(study)
    assert given(study) == [2] * 6 + [3]


def test_the_questions_of_who_fell_silent_are_asked_of_others(small):
    quitter = join(small)
    answer(quitter, 2)
    for _ in range(3):
        join(small, now=LATER)
    assert given(small) == [2] * 4 + [3] * 4
    assert places_left(small, now=LATER) == 1
    stand_in = join(small, now=LATER)
    assert stand_in.assignments.count() == 4
    assert given(small) == [3] * 8
    assert quitter.assignments.exclude(returned_at=None).count() == 4


def test_silent_people_leave_places_free_before_anybody_joins(small):
    for _ in range(4):
        answer(join(small), 3)
    assert places_left(small, now=NOW) == 0
    assert places_left(small, now=LATER) == 2
    assert not Assignment.objects.exclude(returned_at=None).exists()


def test_a_sign_of_life_keeps_the_questions(small):
    there = join(small)
    note_activity(appraiser=there, now=LATER)
    join(small, now=LATER + timedelta(minutes=119))
    assert not there.assignments.exclude(returned_at=None).exists()


def test_a_sign_of_life_is_written_once_a_minute(small, django_assert_num_queries):
    who = join(small)
    with django_assert_num_queries(0):
        note_activity(appraiser=who, now=NOW + timedelta(seconds=59))
    with django_assert_num_queries(1):
        note_activity(appraiser=who, now=NOW + timedelta(seconds=60))
    who.refresh_from_db()
    assert who.seen_at == NOW + timedelta(seconds=60)


def test_the_study_says_how_long_one_may_be_silent(small):
    type(small).objects.update(return_after=5)
    quitter = join(small)
    join(small, now=NOW + timedelta(minutes=4))
    assert not quitter.assignments.exclude(returned_at=None).exists()
    join(small, now=NOW + timedelta(minutes=6))
    assert quitter.assignments.exclude(returned_at=None).count() == 6


def test_nobody_is_silent_while_the_study_rests(small):
    who = join(small)
    for paused, resumed in ((30, 100), (130, 900)):
        pause_study(study=small, now=NOW + timedelta(minutes=paused))
        resume_study(study=small, now=NOW + timedelta(minutes=resumed))
    early, late = (NOW + timedelta(minutes=900 + minutes) for minutes in (59, 61))
    assert places_left(small, now=early) == 3
    join(small, now=early)
    assert not who.assignments.exclude(returned_at=None).exists()
    assert places_left(small, now=late) == 3
    join(small, now=late)
    assert who.assignments.exclude(returned_at=None).count() == 6


@pytest.mark.parametrize("outcome", ["failed", "screened"])
def test_who_failed_or_was_screened_out_keeps_no_place(small, outcome):
    who = join(small)
    Appraiser.objects.filter(pk=who.pk).update(outcome=outcome, finished_at=NOW)
    assert given(small) == [0] * 8
    assert places_left(small, now=NOW) == 4


def test_who_was_screened_out_is_asked_nothing_any_more(small):
    who = join(small)
    Appraiser.objects.filter(pk=who.pk).update(outcome="screened", finished_at=NOW)
    key = who.assignments.first().key
    outcome = record_judgment(appraiser=who, assignment_key=key, choice="left")
    assert outcome is AnswerResult.STALE
    assert not Judgment.objects.exists()


def test_simulated_appraisers_find_a_place_for_ever_and_take_none(small):
    for _ in range(6):
        assert join(small, kind="simulated").assignments.count() == 6
    assert given(small, "simulated") == [4] * 4 + [5] * 4
    assert places_left(small, now=NOW) == 4


def test_a_number_is_never_given_again(small):
    first, second = join(small), join(small)
    small.withdrawals.create(kind="real", on=NOW.date(), n_judgments=0)
    for who in (first, second):
        who.assignments.all().delete()
    second.delete()
    assert join(small).number == 3
    small.withdrawals.create(kind="real", on=NOW.date(), n_judgments=0)
    first.delete()
    assert join(small).number == 4


# -- sides -------------------------------------------------------------------------------------


def test_everybody_has_the_sides_in_balance_wherever_he_stops(small):
    for answers in (1, 2, 3, 5):
        who = join(small)
        answer(who, answers)
        assert abs(2 * sum(left_of(who)) - answers) <= 1


def test_each_question_has_its_first_arm_on_the_left_about_half_of_the_time():
    study = StudyFactory(n_profiles=20, quota=24)
    for _ in range(24):
        join(study)
    standings = places(study, "real").pool.standings.values()
    assert [one.given for one in standings] == [18] * 20
    assert {one.first_left for one in standings} <= {8, 9, 10}


# -- coming back -------------------------------------------------------------------------------


def test_who_comes_back_in_time_finds_the_same_questions(small):
    who = join(small)
    answer(who, 2)
    before = list(who.assignments.values_list("pk", "key", "question", "left_arm"))
    join(small, now=LATER)
    assert visit(who, LATER)
    assert list(who.assignments.values_list("pk", "key", "question", "left_arm")) == before
    assert not who.assignments.exclude(returned_at=None).exists()


def test_what_others_were_given_meanwhile_is_replaced_at_its_place(small):
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


def test_who_comes_back_too_late_is_done_with_what_was_answered(small):
    who = join(small)
    answer(who, 3)
    worked_off(small, who)
    visit(who, LATER)
    who.refresh_from_db()
    assert (who.outcome, who.finished_at) == ("done", LATER)
    assert who.assignments.count() == 3
    assert given(small) == [3] * 8
    assert abs(2 * sum(left_of(who)) - 3) == 1


def test_who_comes_back_too_late_without_an_answer_finds_no_place_but_may_later(small):
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


def test_a_late_answer_counts_where_the_question_is_still_wanted(small):
    who = join(small)
    key = question_page(who).assignment_key
    join(small, now=LATER)
    outcome = record_judgment(appraiser=who, assignment_key=key, choice="left", now=LATER)
    assert outcome is AnswerResult.RECORDED
    assert not who.assignments.exclude(returned_at=None).exists()


def test_a_late_answer_that_nobody_wants_any_more_changes_nothing(small):
    who = join(small)
    answer(who, 2)
    key = question_page(who).assignment_key
    worked_off(small, who)
    before = Judgment.objects.count()
    outcome = record_judgment(appraiser=who, assignment_key=key, choice="left", now=LATER)
    assert outcome is AnswerResult.TAKEN
    assert Judgment.objects.count() == before
    assert given(small) == [3] * 8


def test_a_late_answer_is_told_when_another_question_stands_in_the_place_of_its_own(small):
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


def test_who_comes_back_to_other_cards_finds_them_under_a_new_key_and_unseen(small):
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
    pause_study(study=small)
    visit(who, LATER)
    assert who.assignments.exclude(returned_at=None).count() == 6


# -- practice, checks, repeats -----------------------------------------------------------------


@pytest.fixture
def mixed(db):
    """Eight questions that count, beside two to practise, two checks and three repeats."""
    return StudyFactory(
        n_profiles=16,
        questions_per_appraiser=8,
        quota=6,
        n_practice=2,
        n_checks=2,
        checks_to_pass=2,
        n_repeats=3,
    )


def test_everybody_gets_every_kind_and_practises_first(mixed):
    rows = list(join(mixed).assignments.order_by("position"))
    kinds = [row.kind for row in rows]
    assert Counter(kinds) == {"main": 8, "practice": 2, "check": 2, "repeat": 3}
    assert kinds[:3] == ["practice", "practice", "main"]
    assert [row.position for row in rows] == list(range(1, 16))


def test_only_repeats_bring_a_profile_back(mixed):
    rows = join(mixed).assignments.select_related("question").exclude(kind="repeat")
    assert len({row.question.user for row in rows}) == 12


def test_a_repeat_asks_an_earlier_question_with_the_sides_swapped(mixed):
    rows = join(mixed).assignments
    main = {row.question_id: row for row in rows.filter(kind="main")}
    for row in rows.filter(kind="repeat"):
        original = main[row.question_id]
        assert row.left_arm_id != original.left_arm_id
        assert row.position - original.position > 4


def test_a_check_says_which_side_to_choose(mixed):
    expected = set()
    for _ in range(6):
        rows = join(mixed).assignments.filter(kind="check")
        expected.update(rows.values_list("expected", flat=True))
    assert expected == {"left", "right"}


def test_only_main_questions_count_for_the_pool(mixed):
    answer(join(mixed))
    assert sum(given(mixed)) == 8


def test_who_fails_the_checks_gives_all_places_back_and_is_left_out(mixed):
    who = join(mixed)
    for row in who.assignments.order_by("position"):
        record_judgment(
            appraiser=who,
            assignment_key=row.key,
            choice="right" if row.expected == "left" else "left",
            now=NOW,
        )
    who.refresh_from_db()
    assert who.outcome == "failed"
    assert given(mixed) == [0] * 16
    assert places_left(mixed, now=NOW) == 6
    assert study_results(mixed, kind="real").n_judgments == 0


def test_a_repeat_goes_where_its_question_goes(mixed):
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


# -- queries -----------------------------------------------------------------------------------


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
