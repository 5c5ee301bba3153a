"""Lost messages and dead workers are found by the job rows."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from recommender.models import Job, Worker
from recommender.selectors import has_live_worker
from recommender.services import claims
from recommender.services.reconciling import (
    drop_message,
    forget_worker,
    reconcile,
    record_worker,
    remove_stray_files,
)
from recommender.services.submitting import cancel_job
from tests.factories import TrainedModelFactory

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def sent(monkeypatch):
    jobs = []
    monkeypatch.setattr("recommender.services.reconciling.nudge", lambda job: jobs.append(job.pk))
    return jobs


def test_a_recently_sent_job_is_not_sent_again(queued, sent):
    assert reconcile() == 0
    assert sent == []


def test_a_job_that_waits_too_long_is_sent_again_once(queued, sent):
    Job.objects.update(sent_at=timezone.now() - timedelta(seconds=settings.JOB_RESEND_SECONDS + 1))
    assert reconcile() == 1
    assert reconcile() == 0
    assert sent == [queued.pk]


def test_a_job_that_was_never_sent_is_sent_at_once(queued, sent):
    Job.objects.update(sent_at=None)
    reconcile()
    assert sent == [queued.pk]


def test_a_job_under_a_valid_lease_is_not_sent_again(claim, sent, settings):
    settings.JOB_RESEND_SECONDS = 0
    assert reconcile() == 0


def test_a_job_whose_worker_died_is_sent_at_once(claim, expire, sent):
    expire(claim.job_id)
    reconcile()
    assert sent == [claim.job_id]
    assert Job.objects.get().status == "running"  # until the next worker claims it


def test_a_message_taken_during_shutdown_is_sent_again_at_once(queued, sent):
    drop_message(queued.pk)
    reconcile()
    assert sent == [queued.pk]


def test_a_job_whose_worker_died_in_the_last_attempt_fails_with_the_reason(claim, expire, sent):
    Job.objects.update(attempts=settings.JOB_MAX_ATTEMPTS)
    expire(claim.job_id)
    reconcile()
    job = Job.objects.get()
    assert (job.status, sent) == ("failed", [])
    assert "died in each of 5 attempts" in job.error


def test_a_cancelled_job_whose_worker_died_ends_as_cancelled(claim, expire, sent):
    cancel_job(claim.job_id)
    expire(claim.job_id)
    reconcile()
    assert (Job.objects.get().status, sent) == ("cancelled", [])


def lay(home, *places: str) -> None:
    for place in places:
        folder = Path(home) / place
        folder.mkdir(parents=True)
        (folder / "file").touch()


def what_lies(home) -> set[str]:
    return {
        f"{folder.name}/{entry.name}"
        for folder in (Path(home) / "artefacts", Path(home) / "checkpoints")
        if folder.exists()
        for entry in folder.iterdir()
    }


def test_files_of_earlier_attempts_are_removed(claim, home, expire):
    expire(claim.job_id)
    second = claims.claim_job(claim.job_id, owner="ben")
    folder, name = claim.artefact.split("/")
    lay(home, claim.artefact, f"{folder}/.{name}.partial", second.artefact, second.checkpoints)
    remove_stray_files()
    assert what_lies(home) == {second.artefact, second.checkpoints}


def test_the_artefact_of_a_model_is_kept_and_its_checkpoint_removed(home):
    model = TrainedModelFactory()
    model.artefact = f"artefacts/{model.job_id}-2"
    model.save()
    lay(home, model.artefact, f"artefacts/{model.job_id}-1", f"checkpoints/{model.job_id}")
    remove_stray_files()
    assert what_lies(home) == {model.artefact}


def test_files_of_unknown_jobs_are_kept(home, db):
    unknown = "0f8fad5b-d9cb-469f-a165-70867728950e"
    lay(home, f"artefacts/{unknown}-1", f"checkpoints/{unknown}", "artefacts/by-hand")
    remove_stray_files()
    assert len(what_lies(home)) == 3


def test_a_worker_is_seen_until_it_leaves(db):
    record_worker(name="celery@here:1", queues=["device"])
    assert has_live_worker(600)
    assert not has_live_worker(600, queue="other")
    forget_worker(name="celery@here:1")
    assert not has_live_worker(600)


def test_an_idle_worker_is_not_seen(db):
    record_worker(name="celery@here:1", queues=["device"])
    Worker.objects.update(seen_at=timezone.now() - timedelta(seconds=11))
    assert not has_live_worker(10)
