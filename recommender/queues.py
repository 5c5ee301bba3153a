"""Decides where a job waits and runs: its queue, its priority there, its lane and its devices."""

from contextlib import suppress
from typing import Any

from recommender.core.errors import ConfigurationError
from recommender.core.systems import config_from_dict
from recommender.models import Job, TrainedModel
from recommender.selectors import has_live_worker

#: Networks that a worker with a card trains; publications and evaluations; all other trainings.
#: ``studysite.celery`` declares the same names.
GPU, INFERENCE, DEFAULT = "gpu", "inference", "default"
TRAININGS = (Job.Kind.TRAIN, Job.Kind.TUNE)
#: A worker without a sign of life for this long does not count as one with a card.
SILENCE_SECONDS = 30.0

#: Priorities within a queue, smaller is earlier: the steps that kombu keeps in Redis.
SOMEBODY_WAITS, QUICK, LONG, BACKGROUND = 0, 3, 6, 9


def queue_of(job: Job) -> str:
    """The queue of the job's next message; it follows the workers that are alive now."""
    if job.kind not in TRAININGS:
        return INFERENCE
    can_use_card = is_network(job) and job.params.get("device") != "cpu"
    if can_use_card and has_live_worker(SILENCE_SECONDS, queue=GPU, with_card=True):
        return GPU
    return DEFAULT


def priority_of(job: Job) -> int:
    """From 0 (first) to 9: a study's page waits for publications, nobody for large tables."""
    if job.kind == Job.Kind.PUBLISH:
        return SOMEBODY_WAITS
    if job.params.get("background"):
        return BACKGROUND
    return LONG if job.kind in TRAININGS and is_network(job) else QUICK


def lane_of(job: Job) -> str:
    """On one machine's processor, jobs of the same lane run one after the other.

    Networks have a lane of their own wherever they are trained, so that a quick training on
    another worker of the same machine does not wait for them.
    """
    if job.kind not in TRAININGS:
        return INFERENCE
    return GPU if is_network(job) else DEFAULT


def devices_of(job: Job) -> tuple[str, ...]:
    """What the job may run on, as in ``resolve_device``; the first that is free is used.

    Only networks use a card. Inference does not wait for one that is training.
    """
    asked: str = job.params["device"]
    if asked != "auto":
        return (asked,)
    if not is_network(job):
        return ("cpu",)
    return ("auto",) if job.kind in TRAININGS else ("auto", "cpu")


def is_network(job: Job) -> bool:
    """Whether the job's system is a neural network; False for a system that is not known."""
    source: Any = job.params
    if "trained_model" in source:
        source = TrainedModel.objects.values("system", "config").get(pk=source["trained_model"])
    with suppress(ConfigurationError, KeyError):
        return bool(config_from_dict(source["system"], source["config"]).is_network)
    return False
