"""How far the preparation of a draft is: one publish job for each arm."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.selectors import JobProgress, has_live_worker, job_progress
from survey.models import Study
from survey.selectors.drawing import all_published

#: A worker that was silent for this long is taken for absent.
WORKER_SILENCE_SECONDS = 30


@dataclass(frozen=True)
class Step:
    """The recommendations of one arm; ``job`` is None where none have to be made."""

    label: str
    job: JobProgress | None

    @property
    def status(self) -> str:
        return self.job.status if self.job else "done"


@dataclass(frozen=True)
class Preparation:
    """``lonely``: work is waiting, and no worker was seen that could do it.

    ``busy`` and ``stopped`` may both be true: one arm failed while the other still goes on.
    """

    steps: list[Step]
    lonely: bool

    @property
    def ready(self) -> bool:
        return all(step.status == "done" for step in self.steps)

    @property
    def stopped(self) -> bool:
        return any(step.status in {"failed", "cancelled"} for step in self.steps)

    @property
    def busy(self) -> bool:
        return any(step.job and not step.job.has_ended for step in self.steps)


def preparation(study: Study) -> Preparation:
    arms = list(study.arms.select_related("trained_model"))
    jobs = job_progress([arm.publish_job_id for arm in arms if arm.publish_job_id])
    found = {str(job.id): job for job in jobs}
    steps = []
    for arm in arms:
        job = found.get(str(arm.publish_job_id))
        if job and job.status != "done" and all_published(study, arm):
            job = None  # there is nothing to wait for, and the check list says so too
        steps.append(Step(arm.label, job))
    waiting = any(step.job and step.job.is_idle for step in steps)
    return Preparation(steps, lonely=waiting and not has_live_worker(WORKER_SILENCE_SECONDS))
