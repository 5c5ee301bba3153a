"""The progress of preparing a draft: one publish job for each arm."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.queues import INFERENCE
from recommender.selectors import has_live_worker
from survey.models import Arm, Study
from survey.selectors.drawing import all_published

#: A worker without activity for this long counts as absent.
WORKER_SILENCE_SECONDS = 30


@dataclass(frozen=True)
class Preparation:
    """``arms`` without missing recommendations have no ``publish_job`` here.

    ``lacks_worker``: jobs are queued, and no worker is alive that could run them. ``is_busy`` and
    ``has_stopped`` can both be true: one arm failed, another one continues.
    """

    arms: list[Arm]
    lacks_worker: bool

    @property
    def statuses(self) -> list[str]:
        return [arm.publish_job.status if arm.publish_job else "done" for arm in self.arms]

    @property
    def is_ready(self) -> bool:
        return set(self.statuses) <= {"done"}

    @property
    def has_stopped(self) -> bool:
        return not {"failed", "cancelled"}.isdisjoint(self.statuses)

    @property
    def is_busy(self) -> bool:
        return any(arm.publish_job and not arm.publish_job.has_ended for arm in self.arms)


def follow_preparation(study: Study) -> Preparation:
    arms = list(study.arms.select_related("trained_model", "publish_job"))
    for arm in arms:
        if arm.publish_job and arm.publish_job.status != "done" and all_published(study, arm):
            arm.publish_job = None  # another job has stored the recommendations
    has_worker = has_live_worker(WORKER_SILENCE_SECONDS, queue=INFERENCE)
    waiting = any(arm.publish_job and arm.publish_job.is_idle for arm in arms)
    return Preparation(arms, lacks_worker=waiting and not has_worker)
