"""The right to work on a job and to end it."""

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from recommender.core.runs import Progress
from recommender.models import Job
from recommender.services.claims import (
    LostClaim,
    claim_job,
    end_cancelled,
    fail_job,
    finish_job,
    heartbeat,
    release_job,
)
from recommender.services.submitting import cancel_job

pytestmark = [pytest.mark.services, pytest.mark.django_db]


def test_the_first_claim_wins(queued):
    assert claim_job(queued.pk, owner="ada").attempt == 1
    assert claim_job(queued.pk, owner="ben") is None
    queued.refresh_from_db()
    assert (queued.status, queued.owner, queued.attempts) == ("running", "ada", 1)


@pytest.mark.django_db(transaction=True)
def test_one_of_many_concurrent_claims_wins(queued):
    claims, start = [], threading.Barrier(8)

    def try_it(name: str) -> None:
        start.wait()
        claims.append(claim_job(queued.pk, owner=name))
        connection.close()

    rivals = [threading.Thread(target=try_it, args=[f"rival-{number}"]) for number in range(8)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()
    won = [claim for claim in claims if claim]
    queued.refresh_from_db()
    assert len(claims) == 8
    assert [(claim.owner, claim.attempt) for claim in won] == [(queued.owner, 1)]


def test_a_running_job_cannot_be_claimed_while_its_lease_lasts(claim, expire):
    assert claim_job(claim.job_id, owner="ben") is None
    expire(claim.job_id)
    assert claim_job(claim.job_id, owner="ben").attempt == 2


def test_a_heartbeat_renews_the_lease_and_writes_the_progress(claim, expire):
    expire(claim.job_id)
    before = timezone.now()
    step = Progress("training", 3, 10, 2, 0.75, 40.0)
    assert not heartbeat(claim, progress=step, worked_seconds=1.5)  # no request to cancel
    job = Job.objects.get()
    assert job.lease_until >= before + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    assert (job.phase, job.done_units, job.total_units, job.epoch) == ("training", 3, 10, 2)
    assert (job.loss, job.seconds_left, job.worked_seconds) == (0.75, 40.0, 1.5)


def test_a_heartbeat_reads_a_request_to_cancel(claim):
    cancel_job(claim.job_id)
    assert heartbeat(claim, progress=Progress("training"), worked_seconds=0)


def test_a_worker_that_lost_its_lease_can_neither_renew_nor_end(claim, expire):
    expire(claim.job_id)
    claim_job(claim.job_id, owner="ben")
    with pytest.raises(LostClaim):
        heartbeat(claim, progress=Progress("x"), worked_seconds=0)
    with pytest.raises(LostClaim), finish_job(claim):
        pass
    for end in (release_job, end_cancelled):
        with pytest.raises(LostClaim):
            end(claim)
    with pytest.raises(LostClaim):
        fail_job(claim, error="too late")
    assert (Job.objects.get().status, Job.objects.get().owner) == ("running", "ben")


def test_the_same_owner_cannot_end_an_earlier_attempt(claim, expire):
    expire(claim.job_id)
    claim_job(claim.job_id, owner=claim.owner)
    with pytest.raises(LostClaim), finish_job(claim):
        pass


def test_rows_of_a_lost_claim_are_rolled_back(claim, expire):
    expire(claim.job_id)
    claim_job(claim.job_id, owner="ben")
    with pytest.raises(LostClaim), finish_job(claim):
        Job.objects.create(kind="train")
    assert Job.objects.count() == 1


def test_a_failed_write_leaves_the_job_running(claim):
    with pytest.raises(ZeroDivisionError), finish_job(claim):
        _ = 1 / 0
    assert Job.objects.get().status == "running"


def test_a_job_that_ended_cannot_be_claimed(claim):
    with finish_job(claim):
        pass
    assert claim_job(claim.job_id, owner="ben") is None


def test_a_released_job_is_queued_at_once_and_its_attempt_does_not_count(claim):
    release_job(claim)
    job = Job.objects.get()
    assert (job.status, job.attempts, job.sent_at, job.owner) == ("queued", 0, None, "")


def test_a_temporary_failure_is_retried_until_the_last_attempt(queued):
    for attempt in range(1, settings.JOB_MAX_ATTEMPTS + 1):
        claim = claim_job(queued.pk, owner="ada")
        assert claim.attempt == attempt
        fail_job(claim, error="the network was away", retry=True)
    queued.refresh_from_db()
    assert (queued.status, queued.error) == ("failed", "the network was away")
    assert claim_job(queued.pk, owner="ada") is None


def test_a_cancelled_job_cannot_be_claimed(queued):
    cancel_job(queued.pk)
    assert claim_job(queued.pk, owner="ada") is None
    queued.refresh_from_db()
    assert queued.status == "cancelled"


def test_an_ended_job_cannot_be_cancelled(claim):
    with finish_job(claim):
        pass
    assert cancel_job(claim.job_id) is False
    assert Job.objects.get().status == "done"
