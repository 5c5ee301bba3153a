"""What a job's row says of its progress."""

import pytest

from recommender.core.runs import Progress
from recommender.models import Job
from recommender.services.claims import finish_job, heartbeat

pytestmark = pytest.mark.django_db


def test_a_queued_job_is_idle_and_has_no_share(queued):
    assert (queued.is_idle, queued.has_ended, queued.share) == (True, False, None)


def test_a_running_job_shows_its_progress(claim):
    step = Progress("training", 1, 4, 2, 0.8, 30.0)
    heartbeat(claim, progress=step, worked_seconds=1)
    job = Job.objects.get(pk=claim.job_id)
    assert (job.progress, job.share, job.is_idle) == (step, 0.25, False)


def test_a_running_job_whose_lease_lapsed_is_idle(claim, expire):
    expire(claim.job_id)
    assert Job.objects.get(pk=claim.job_id).is_idle


def test_a_job_that_ended_is_not_idle(claim):
    with finish_job(claim):
        pass
    job = Job.objects.get(pk=claim.job_id)
    assert (job.status, job.share, job.is_idle, job.has_ended) == ("done", 1.0, False, True)
