"""Repairs what killed workers leave: lost messages, lapsed leases and stray files."""

import logging
import re
import uuid
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from recommender import store
from recommender.models import Evaluation, Job, TrainedModel, Worker
from recommender.services.claims import claimable
from recommender.services.submitting import nudge

logger = logging.getLogger(__name__)
WORKER_FORGOTTEN_AFTER = timedelta(days=1)
# artefacts/<job>-<attempt>, artefacts/.<job>-<attempt>.partial, checkpoints/<job>,
# partials/<job>-<attempt>, evaluations/<job>-<attempt>, reports/<job>-<attempt>
OWNED = re.compile(
    r"\.?(?P<job>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?:-(?P<attempt>\d+))?(?:\.partial)?"
)


def reconcile() -> int:
    """Send jobs again that no worker has, end those out of attempts; return how many were sent.

    Every worker does this every few seconds, and each UPDATE decides which of them acts. A job
    whose lease has lapsed is sent at once. A queued job is sent after JOB_RESEND_SECONDS, because
    its first message is probably still waiting.
    """
    now = timezone.now()
    idle = claimable(now)
    end = {"owner": "", "lease_until": None, "finished_at": now}
    ended = idle.filter(cancel_requested=True).update(status=Job.Status.CANCELLED, **end)
    ended += idle.filter(status=Job.Status.RUNNING, attempts__gte=settings.JOB_MAX_ATTEMPTS).update(
        status=Job.Status.FAILED,
        **end,
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
    """Have the next reconciler send the job again, because its message was used up."""
    Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(sent_at=None)


def remove_stray_files(job_id: uuid.UUID | None = None) -> None:
    """Remove files that no open job, no trained model and no evaluation needs.

    They remain if a worker is killed after it wrote its last rows. Files of a job that is not in
    this database are kept, because they may belong to another one.
    """
    for folder in ("artefacts", "checkpoints", "evaluations", "partials", "reports"):
        for place in store.entries(folder):
            owned = OWNED.fullmatch(place.rpartition("/")[2])
            if owned and job_id in {None, uuid.UUID(owned["job"])} and _is_stray(place, owned):
                logger.debug("removing the stray file or folder %s", place)
                store.remove(place)


def _is_stray(place: str, owned: re.Match[str]) -> bool:
    job = Job.objects.filter(pk=owned["job"]).first()
    if job is None:
        return False
    if job.status in {Job.Status.QUEUED, Job.Status.RUNNING}:
        return 0 < int(owned["attempt"] or 0) < job.attempts
    # Queried after the job had ended, because its model is stored in the same transaction.
    folder, _, name = place.partition("/")
    if folder == "evaluations":
        return not Evaluation.objects.filter(users=place).exists()
    if folder == "reports":
        return bool(job.result.get("folder") != place)
    kept = TrainedModel.objects.filter(artefact=f"artefacts/{name}")
    if folder == "partials":
        kept = kept.filter(status=TrainedModel.Status.PARTIAL)
    return folder == "checkpoints" or not kept.exists()


def record_worker(*, name: str, queues: list[str], has_card: bool = False) -> None:
    now = timezone.now()
    facts = {"queues": queues, "has_card": has_card, "seen_at": now}
    Worker.objects.update_or_create(name=name, defaults=facts)
    Worker.objects.filter(seen_at__lt=now - WORKER_FORGOTTEN_AFTER).delete()


def forget_worker(*, name: str) -> None:
    Worker.objects.filter(name=name).delete()
