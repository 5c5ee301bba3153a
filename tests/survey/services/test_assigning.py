"""Which assignments an appraiser gets."""

from collections import Counter

import pytest

from survey.models import Appraiser, Judgment
from survey.selectors.capacity import places, places_left
from survey.selectors.results import study_results
from survey.services.answering import AnswerResult, record_judgment
from tests.factories import NOW, StudyFactory
from tests.survey.taking_part import LATER, answer, given, join, left_of

pytestmark = pytest.mark.django_db


def test_the_questions_of_an_idle_appraiser_are_asked_of_others(small):
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


def test_a_screened_out_appraiser_is_asked_nothing_more(small):
    who = join(small)
    Appraiser.objects.filter(pk=who.pk).update(outcome="screened", finished_at=NOW)
    key = who.assignments.first().key
    outcome = record_judgment(appraiser=who, assignment_key=key, choice="left")
    assert outcome is AnswerResult.STALE
    assert not Judgment.objects.exists()


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


def test_failing_the_checks_frees_all_places_and_leaves_the_answers_out(mixed):
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
