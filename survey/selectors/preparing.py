"""The progress of preparing a draft: one publish job for each arm."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.models import Job
from recommender.selectors import has_live_worker
from survey.models import Study
from survey.selectors.drawing import all_published

#: A worker without activity for this long counts as absent.
WORKER_SILENCE_SECONDS = 30


@dataclass(frozen=True)
class ArmPreparation:
    """The recommendations of one arm; ``job`` is None where none are missing."""

    label: str
    job: Job | None

    @property
    def status(self) -> str:
        return self.job.status if self.job else "done"


@dataclass(frozen=True)
class Preparation:
    """``lacks_worker``: jobs are queued, and no worker is alive that could run them.

    ``is_busy`` and ``has_stopped`` can both be true: one arm failed, another one continues.
    """

    arms: list[ArmPreparation]
    lacks_worker: bool

    @property
    def is_ready(self) -> bool:
        return all(arm.status == "done" for arm in self.arms)

    @property
    def has_stopped(self) -> bool:
        return any(arm.status in {"failed", "cancelled"} for arm in self.arms)

    @property
    def is_busy(self) -> bool:
        return any(arm.job and not arm.job.has_ended for arm in self.arms)


def follow_preparation(study: Study) -> Preparation:
    found = []
    for arm in study.arms.select_related("trained_model", "publish_job"):
        job = arm.publish_job
        if job and job.status != "done" and all_published(study, arm):
            job = None  # another job has stored the recommendations
        found.append(ArmPreparation(arm.label, job))
    waiting = any(arm.job and arm.job.is_idle for arm in found)
    return Preparation(found, lacks_worker=waiting and not has_live_worker(WORKER_SILENCE_SECONDS))
