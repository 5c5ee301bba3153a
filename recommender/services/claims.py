"""The right to work on a job: claimed by one UPDATE, kept by heartbeats, ended by its owner."""

import logging
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from recommender import store
from recommender.core.runs import Progress
from recommender.models import Job, TrainedModel

logger = logging.getLogger(__name__)
LONGEST_ERROR = 2000


class LostClaim(Exception):
    """Another worker has the job, or it has ended; nothing may be written for it."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a job, as long as its row names this owner and this attempt."""

    job_id: uuid.UUID
    owner: str
    attempt: int

    @property
    def artefact(self) -> str:
        """The folder of this attempt's model; no other attempt writes there."""
        return f"artefacts/{self.job_id}-{self.attempt}"

    @property
    def partial(self) -> str:
        """The checkpoint that this attempt leaves for a later job when its time runs out."""
        return f"partials/{self.job_id}-{self.attempt}"

    @property
    def evaluation(self) -> str:
        """The folder of what this attempt measures for each user."""
        return f"evaluations/{self.job_id}-{self.attempt}"

    @property
    def report(self) -> str:
        return f"reports/{self.job_id}-{self.attempt}"

    @property
    def checkpoints(self) -> str:
        return f"checkpoints/{self.job_id}"


def new_owner() -> str:
    """A name that is unique to one process, thread and attempt."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def lease_end(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.JOB_LEASE_SECONDS)


def claimable(now: datetime) -> QuerySet[Job]:
    """Jobs that are queued, or running under a lease that has lapsed."""
    free = Q(status=Job.Status.QUEUED) | Q(status=Job.Status.RUNNING, lease_until__lt=now)
    return Job.objects.filter(free)


def claim_job(job_id: uuid.UUID, *, owner: str) -> Claim | None:
    """Claim the job; None if another worker was first or there is nothing to do."""
    now = timezone.now()
    with transaction.atomic():
        # Several workers may get a message for this job; the row count tells which one won.
        won = (
            claimable(now)
            .filter(pk=job_id, cancel_requested=False, attempts__lt=settings.JOB_MAX_ATTEMPTS)
            .update(
                status=Job.Status.RUNNING,
                owner=owner,
                attempts=F("attempts") + 1,
                lease_until=lease_end(now),
                started_at=Coalesce(F("started_at"), now),
                sent_at=None,
                phase="starting",
                error="",
            )
        )
        if not won:
            return None
        attempt = Job.objects.values_list("attempts", flat=True).get(pk=job_id)
    return Claim(job_id, owner, attempt)


def heartbeat(claim: Claim, *, progress: Progress, worked_seconds: float) -> bool:
    """Renew the lease and write the progress; returns whether to cancel. May raise LostClaim."""
    _update(
        claim,
        lease_until=lease_end(timezone.now()),
        phase=progress.phase[:40],
        done_units=progress.done,
        total_units=progress.total,
        epoch=progress.epoch,
        loss=progress.loss,
        seconds_left=progress.seconds_left,
        worked_seconds=worked_seconds,
    )
    return _own(claim).filter(cancel_requested=True).exists()


@contextmanager
def finish_job(claim: Claim, *, result: dict[str, Any] | None = None) -> Iterator[None]:
    """End the job as done, in one transaction with the rows written inside, or raise LostClaim.

    The UPDATE comes first: it locks the row, so that no other worker can claim it meanwhile.
    """
    with transaction.atomic():
        _end(claim, Job.Status.DONE, phase="", result=result or {})
        yield


def keep_result(claim: Claim, result: dict[str, Any]) -> None:
    """Store what a running job has so far, for its next attempt; LostClaim if it is not ours."""
    _update(claim, result=result)


def fail_job(claim: Claim, *, error: str, retry: bool = False) -> None:
    """End the job as failed; with ``retry`` only after its last attempt, else queue it again."""
    if retry and claim.attempt < settings.JOB_MAX_ATTEMPTS:
        # sent_at delays the next attempt until the reconciler resends the job: what has just
        # failed would fail again at once.
        _requeue(claim, sent_at=timezone.now(), error=error[:LONGEST_ERROR])
    else:
        _end(claim, Job.Status.FAILED, error=error[:LONGEST_ERROR])


def end_cancelled(claim: Claim) -> None:
    _end(claim, Job.Status.CANCELLED)


def release_job(claim: Claim) -> None:
    """Put the job back into the queue; an attempt that we cut short does not count."""
    _requeue(claim, sent_at=None, attempts=F("attempts") - 1)


def discard_attempt(claim: Claim) -> None:
    """Remove the files of this attempt, except its checkpoint, which the next one needs."""
    if TrainedModel.objects.filter(artefact=claim.artefact).exists():
        return  # interrupted after the end: the stored model stays
    folder, _, name = claim.artefact.partition("/")
    store.remove(claim.artefact)
    store.remove(f"{folder}/.{name}.partial")
    store.remove(claim.partial)
    store.remove(claim.report)


def _own(claim: Claim) -> QuerySet[Job]:
    return Job.objects.filter(
        pk=claim.job_id, status=Job.Status.RUNNING, owner=claim.owner, attempts=claim.attempt
    )


def _end(claim: Claim, status: Job.Status, **values: Any) -> None:
    _leave(claim, status, finished_at=timezone.now(), **values)


def _requeue(claim: Claim, **values: Any) -> None:
    _leave(claim, Job.Status.QUEUED, phase="", **values)


def _leave(claim: Claim, status: Job.Status, **values: Any) -> None:
    _update(claim, status=status, owner="", lease_until=None, seconds_left=None, **values)


def _update(claim: Claim, **values: Any) -> None:
    if not _own(claim).update(**values):
        raise LostClaim(f"Job {claim.job_id} is no longer {claim.owner}'s.")
