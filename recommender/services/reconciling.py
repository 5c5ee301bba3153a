"""What a worker sees to besides its jobs: lost messages, dead leases, files that nobody owns."""

import logging
import re
import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from recommender import store
from recommender.models import Job, TrainedModel, Worker
from recommender.services.claims import claimable
from recommender.services.submitting import nudge

logger = logging.getLogger(__name__)
WORKER_FORGOTTEN_AFTER = timedelta(days=1)
# artefacts/<job>-<attempt>, artefacts/.<job>-<attempt>.partial, checkpoints/<job>,
# partials/<job>-<attempt>
OWNED = re.compile(
    r"\.?(?P<job>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?:-(?P<attempt>\d+))?(?:\.partial)?"
)


def reconcile() -> int:
    """Send again what no worker is doing, and end what was given up; returns how many were sent.

    Every worker does this every few seconds; each UPDATE decides which of them acts. A job whose
    lease lapsed is sent at once, one that merely waits after JOB_RESEND_SECONDS, for its message
    is most likely waiting too.
    """
    now = timezone.now()
    idle = claimable(now)
    ended = idle.filter(cancel_requested=True).update(
        status=Job.Status.CANCELLED, owner="", lease_until=None, finished_at=now
    )
    ended += idle.filter(status=Job.Status.RUNNING, attempts__gte=settings.JOB_MAX_ATTEMPTS).update(
        status=Job.Status.FAILED,
        owner="",
        lease_until=None,
        finished_at=now,
        error=(
            f"The worker died in each of {settings.JOB_MAX_ATTEMPTS} attempts. Look at the "
            "worker's log and at the machine's memory, then submit the job again."
        ),
    )
    if ended:
        remove_stray_files()
    waited = now - timedelta(seconds=settings.JOB_RESEND_SECONDS)
    due = Q(sent_at__isnull=True) | Q(sent_at__lt=waited)
    sent = 0
    for job in idle.filter(due):
        if idle.filter(due, pk=job.pk).update(sent_at=now):
            logger.info("sending job %s again (attempt %d)", job.pk, job.attempts + 1)
            nudge(job)
            sent += 1
    return sent


def drop_message(job_id: uuid.UUID) -> None:
    """A message was taken and nothing done: let the next look at the rows send another."""
    Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(sent_at=None)


def remove_stray_files(job_id: uuid.UUID | None = None) -> None:
    """Remove checkpoints and artefacts that no open job and no trained model needs.

    A worker that is killed between its last rows and its last file leaves such behind. Files of
    a job that is not in this database are left alone: another database may know it.
    """
    for folder in ("artefacts", "checkpoints", "partials"):
        for place in store.entries(folder):
            owned = OWNED.fullmatch(place.rpartition("/")[2])
            if owned and job_id in {None, uuid.UUID(owned["job"])} and _is_stray(place, owned):
                logger.debug("removing %s, which nothing needs", place)
                store.remove(place)


def _is_stray(place: str, owned: re.Match[str]) -> bool:
    job = Job.objects.filter(pk=owned["job"]).first()
    if job is None:
        return False
    if job.status in {Job.Status.QUEUED, Job.Status.RUNNING}:
        return 0 < int(owned["attempt"] or 0) < job.attempts
    # Asked after the job was seen to have ended: its model was stored in the same transaction.
    folder, _, name = place.partition("/")
    kept = TrainedModel.objects.filter(artefact=f"artefacts/{name}")
    if folder == "partials":
        kept = kept.filter(status=TrainedModel.Status.PARTIAL)
    return folder == "checkpoints" or not kept.exists()


def record_worker(*, name: str, queues: list[str]) -> None:
    now = timezone.now()
    Worker.objects.update_or_create(name=name, defaults={"queues": queues, "seen_at": now})
    Worker.objects.filter(seen_at__lt=now - WORKER_FORGOTTEN_AFTER).delete()


def forget_worker(*, name: str) -> None:
    Worker.objects.filter(name=name).delete()
