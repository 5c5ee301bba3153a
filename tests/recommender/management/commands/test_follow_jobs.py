"""Following jobs and running them in place, through exits and outputs."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from recommender.models import Job, TrainedModel
from recommender.services.claims import fail_job

pytestmark = pytest.mark.django_db(transaction=True)


def test_follow_jobs_inline_runs_queued_jobs(queued, capsys):
    call_command("follow_jobs", str(queued.pk), inline=True)
    assert "bias: done" in capsys.readouterr().err
    assert TrainedModel.objects.get().job_id == queued.pk


def test_follow_jobs_inline_takes_over_from_a_worker_that_died(claim, settings):
    settings.JOB_LEASE_SECONDS = 2
    Job.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
    call_command("follow_jobs", str(claim.job_id), inline=True)
    assert (Job.objects.get().status, Job.objects.get().attempts) == ("done", 2)


def test_follow_jobs_inline_ends_jobs_out_of_attempts(claim, expire):
    Job.objects.update(attempts=5)
    expire(claim.job_id)
    with pytest.raises(CommandError, match="died in each of 5 attempts"):
        call_command("follow_jobs", str(claim.job_id), inline=True)


def test_follow_jobs_ends_with_1_when_a_job_failed(claim):
    fail_job(claim, error="No ratings.")
    with pytest.raises(CommandError, match=r"bias failed\. No ratings\.") as caught:
        call_command("follow_jobs", str(claim.job_id))
    assert caught.value.returncode == 1


def test_follow_jobs_ends_with_3_when_the_worker_of_a_running_job_died(claim, expire):
    expire(claim.job_id)
    with pytest.raises(CommandError) as caught:
        call_command("follow_jobs", str(claim.job_id))
    assert caught.value.returncode == 3


def test_follow_jobs_ends_with_2_for_an_unknown_job(db):
    with pytest.raises(CommandError, match="There is no job") as caught:
        call_command("follow_jobs", "0f8fad5b-d9cb-469f-a165-70867728950e")
    assert caught.value.returncode == 2
