"""What a visit stores: when the appraiser was last seen, and when a question was first shown."""

from datetime import timedelta

import pytest

from survey.selectors.question import question_page
from survey.services.visiting import mark_shown, note_activity
from tests.factories import NOW
from tests.survey.taking_part import LATER, join

pytestmark = pytest.mark.django_db


def test_activity_keeps_the_questions(small):
    there = join(small)
    note_activity(appraiser=there, now=LATER)
    join(small, now=LATER + timedelta(minutes=119))
    assert not there.assignments.exclude(returned_at=None).exists()


def test_activity_is_stored_once_a_minute(small, django_assert_num_queries):
    who = join(small)
    with django_assert_num_queries(0):
        note_activity(appraiser=who, now=NOW + timedelta(seconds=59))
    with django_assert_num_queries(1):
        note_activity(appraiser=who, now=NOW + timedelta(seconds=60))
    who.refresh_from_db()
    assert who.seen_at == NOW + timedelta(seconds=60)


def test_a_question_is_shown_first_only_once_and_by_its_owner(ada, ben):
    key = question_page(ada.appraiser)["assignment_key"]
    mark_shown(appraiser=ben.appraiser, assignment_key=key, now=NOW - timedelta(hours=1))
    mark_shown(appraiser=ada.appraiser, assignment_key=key, now=NOW)
    mark_shown(appraiser=ada.appraiser, assignment_key=key, now=NOW + timedelta(hours=1))
    assert ada.appraiser.assignments.get(key=key).shown_at == NOW
