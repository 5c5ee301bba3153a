"""How often questions are given, and how many places are free."""

from datetime import timedelta

import pytest

from survey.errors import StudyFull
from survey.models import Appraiser, Assignment
from survey.selectors.capacity import places_left
from survey.services.launching import move_study
from tests.factories import NOW, StudyFactory
from tests.survey.taking_part import LATER, answer, given, join

pytestmark = pytest.mark.django_db


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


def test_silent_people_leave_places_free_before_anybody_joins(small):
    for _ in range(4):
        answer(join(small), 3)
    assert places_left(small, now=NOW) == 0
    assert places_left(small, now=LATER) == 2
    assert not Assignment.objects.exclude(returned_at=None).exists()


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
        move_study(study=small, to="paused", now=NOW + timedelta(minutes=paused))
        move_study(study=small, to="running", now=NOW + timedelta(minutes=resumed))
    early, late = (NOW + timedelta(minutes=900 + minutes) for minutes in (59, 61))
    assert places_left(small, now=early) == 3
    join(small, now=early)
    assert not who.assignments.exclude(returned_at=None).exists()
    assert places_left(small, now=late) == 3
    join(small, now=late)
    assert who.assignments.exclude(returned_at=None).count() == 6


@pytest.mark.parametrize("outcome", ["failed", "screened"])
def test_failed_and_screened_out_appraisers_keep_no_place(small, outcome):
    who = join(small)
    Appraiser.objects.filter(pk=who.pk).update(outcome=outcome, finished_at=NOW)
    assert given(small) == [0] * 8
    assert places_left(small, now=NOW) == 4


def test_simulated_appraisers_find_a_place_for_ever_and_take_none(small):
    for _ in range(6):
        assert join(small, kind="simulated").assignments.count() == 6
    assert given(small, "simulated") == [4] * 4 + [5] * 4
    assert places_left(small, now=NOW) == 4


def test_only_main_questions_count_for_the_pool(mixed):
    answer(join(mixed))
    assert sum(given(mixed)) == 8
