"""The progress of a draft, as its page shows it."""

import pytest

from recommender.models import Job
from survey.selectors import preparing
from survey.selectors.preparing import follow_preparation
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db):
    return prepared()


def set_status(draft, position, status):
    job = draft.arms.get(position=position).publish_job
    Job.objects.filter(pk=job.pk).update(status=status)


def test_queued_jobs_without_a_worker_are_busy_and_lack_one(draft):
    found = follow_preparation(draft)
    assert found.statuses == ["queued", "queued"]
    assert (found.is_busy, found.lacks_worker, found.is_ready) == (True, True, False)


def test_queued_jobs_with_a_worker_lack_none(draft, monkeypatch):
    monkeypatch.setattr(preparing, "has_live_worker", lambda seconds, queue: True)
    assert not follow_preparation(draft).lacks_worker


def test_one_arm_can_fail_while_another_continues(draft):
    set_status(draft, 0, Job.Status.FAILED)
    found = follow_preparation(draft)
    assert (found.has_stopped, found.is_busy) == (True, True)


def test_finished_jobs_are_ready(draft):
    for position in (0, 1):
        set_status(draft, position, Job.Status.DONE)
    found = follow_preparation(draft)
    assert (found.is_ready, found.is_busy) == (True, False)


def test_an_arm_whose_recommendations_are_stored_needs_no_job(draft):
    publish(draft, done=False)
    assert follow_preparation(draft).statuses == ["done", "done"]
