"""Submits and cancels jobs: the row first, then a message to the workers after the commit."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError
from pydantic import Field

from recommender import store
from recommender.core import splitting, systems
from recommender.core.configs.spaces import SPACES
from recommender.core.errors import ConfigurationError
from recommender.core.profile_policies import TRAIN_ONLY
from recommender.models import Dataset, Job, TrainedModel
from recommender.options import StrictModel, validated_or
from recommender.queues import priority_of, queue_of
from recommender.selectors import find_preset, lacking_needs

logger = logging.getLogger(__name__)
TASK = "recommender.run_job"
LONGEST_LIMIT = 2**31 - 1  # seconds, the column's
Device = Literal["auto", "cpu", "cuda"]
Seed = Annotated[int, Field(ge=0, le=2**63 - 1)]  # the column's limit, and torch's


class TrainingOptions(StrictModel):
    """How to train a system; the flags of ``train_models`` follow from it."""

    split_seed: Seed = 0
    """seed of a random split"""
    device: Device = "auto"
    """what to train on; auto: a GPU if there is one"""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """precision of a network's matrix products; auto: bfloat16 if the GPU supports it"""
    epochs: int | None = Field(None, ge=1, le=100_000)
    """passes over the data"""
    seed: Seed = 0
    """seed of the training"""
    time_limit_seconds: int | None = Field(None, ge=1, le=LONGEST_LIMIT)
    """limit on the working time of each system in seconds"""
    max_minutes: float | None = Field(None, gt=0, le=LONGEST_LIMIT // 60)
    """limit on the training time of each system, without loading and evaluation; the model so far
    is then stored as partial, and the same command resumes from it"""


def submit_job(
    *,
    kind: str,
    params: dict[str, Any],
    time_limit_seconds: int | None = None,
    announce: bool = True,
) -> Job:
    """Queue a job and notify the workers; without ``announce`` the caller runs it at once.

    The reconciler takes any job for announced at first, since ``sent_at`` is set.
    """
    job = Job(kind=kind, params=params, time_limit_seconds=time_limit_seconds)
    job.sent_at = timezone.now()
    with transaction.atomic():
        job.save()
        if announce:
            transaction.on_commit(lambda: nudge(job))
    return job


def submit_training(*, announce: bool = True, **request: Any) -> Job:
    """Queue the training of one system; the request is that of ``training_params``."""
    params = training_params(**request)
    limit = request.get("time_limit_seconds")
    return submit_job(
        kind=Job.Kind.TRAIN, params=params, time_limit_seconds=limit, announce=announce
    )


def training_params(
    *,
    dataset: Dataset,
    system: str,
    preset: str = "",
    split: str = "time-90-10",
    settings: Mapping[str, str] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """The parameters of a training job; ConfigurationError if the request cannot work.

    A preset that became a system of its own is trained under the present name. ``settings``
    override fields of the preset, as text. The stored preset name then says so, so that the model
    is not taken for that of the plain preset. The other options are those of
    ``TrainingOptions``. After ``max_minutes`` of training the model is stored as it is and marked
    partial; the same request resumes from it.
    """
    system = systems.present_name(system, preset)
    # Check before hours of training, not when the result is stored.
    wish = validated_or(ConfigurationError, TrainingOptions, options)
    chosen, config = find_preset(
        dataset=dataset, system=system, preset=preset, split=split, split_seed=wish.split_seed
    )
    if wish.epochs is not None:
        config = systems.override(config, epochs=wish.epochs)
    if settings:
        config = systems.with_settings(system, config, settings)
        chosen += systems.CHANGED
    if lacking := lacking_needs(dataset, config):
        raise ConfigurationError(
            f"{system} needs {' and '.join(lacking)}, which {dataset.name} does not have. Leave "
            "the system out, or import a source that has them."
        )
    _check_split(dataset, split)
    return {
        "dataset": dataset.pk,
        "system": system,
        "preset": chosen,
        "config": systems.config_to_dict(config),
        "split": split,
        **wish.model_dump(include={"split_seed", "seed", "device", "precision"}),
        "max_seconds": None if wish.max_minutes is None else 60 * wish.max_minutes,
    }


def tuning_params(*, dataset: Dataset, system: str, trials: int, **request: Any) -> dict[str, Any]:
    """The parameters of a search of ``trials`` settings; the request is that of a training."""
    params = training_params(dataset=dataset, system=system, **request)
    known = params["config"].keys()
    if not SPACES.get(system) or not SPACES[system].keys() <= known:
        raise ConfigurationError(
            f"There is nothing to search for {system} with this preset. Ranges are declared in "
            "recommender/core/configs/spaces.py."
        )
    if trials < 1:
        raise ConfigurationError(f"trials = {trials} is not possible. Give 1 or more.")
    return {**params, "trials": trials, "background": True}


def submit_publish(
    *, trained_model: TrainedModel, users: Sequence[int], device: str = "auto"
) -> Job:
    """Queue the computation of the best item for each of these users' full profiles."""
    n_users = trained_model.dataset.n_users
    if outside := [user for user in users if not 0 <= user < n_users]:
        raise ConfigurationError(
            f"{trained_model.dataset.name} has {n_users} users; there is no row {outside[0]}. "
            f"Name rows from 0 to {n_users - 1}."
        )
    params = {
        "trained_model": trained_model.pk,
        "users": [int(user) for user in users],
        "device": device,
    }
    return submit_job(kind=Job.Kind.PUBLISH, params=params)


def submit_evaluation(
    *,
    trained_model: TrainedModel,
    device: str = "auto",
    profile: str = TRAIN_ONLY,
    announce: bool = True,
) -> Job:
    """Queue a new measurement of a trained model under this policy of profiles."""
    params = {"trained_model": trained_model.pk, "device": device, "profile": profile}
    return submit_job(kind=Job.Kind.EVALUATE, params=params, announce=announce)


def submit_report(
    *, dataset: Dataset, split: str = "time-90-10", device: str = "auto", announce: bool = True
) -> Job:
    """Queue the report of the paper's tables and figures on the models of a split."""
    _check_split(dataset, split)
    params = {"dataset": dataset.pk, "split": split, "device": device}
    return submit_job(kind=Job.Kind.REPORT, params=params, announce=announce)


def cancel_job(job_id: uuid.UUID) -> bool:
    """Cancel a job, at once if it is queued, else at its next heartbeat; False if it had ended."""
    open_job = Job.objects.filter(pk=job_id, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    if not open_job.update(cancel_requested=True):
        return False
    # A worker may claim or end the job between these two; then it reads the flag, or has ended.
    if Job.objects.filter(pk=job_id, status=Job.Status.QUEUED).update(
        status=Job.Status.CANCELLED, finished_at=timezone.now()
    ):
        store.remove(f"checkpoints/{job_id}")
    return True


def _check_split(dataset: Dataset, name: str) -> None:
    has_times = dataset.first_rated_at is not None
    if reason := splitting.obstacle(name, has_times=has_times, folds=dataset.folds):
        raise ConfigurationError(f"{dataset.name}: {reason}")


def nudge(job: Job) -> None:
    """Send the workers a message; if that fails, a worker's reconciler finds the row."""
    try:
        current_app.send_task(
            TASK,
            args=[str(job.pk)],
            queue=queue_of(job),
            priority=priority_of(job),
            retry_policy={"max_retries": 1},
        )
    except (OperationalError, OSError) as error:
        Job.objects.filter(pk=job.pk).update(sent_at=None)
        logger.warning("job %s is queued, but the broker cannot be reached: %s", job.pk, error)
