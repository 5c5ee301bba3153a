"""Runs jobs: claim, load, split, fit, evaluate, save, publish."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import close_old_connections

from recommender import store
from recommender.comparison import DETERMINING, is_same
from recommender.core.algorithms.base import Recommender, implementation
from recommender.core.duplicates import with_duplicates
from recommender.core.errors import CoreError
from recommender.core.evaluation import evaluate_users
from recommender.core.profile_policies import TRAIN_ONLY
from recommender.core.runs import Progress, RunOptions, ignore_progress
from recommender.core.splitting import Split, split
from recommender.core.systems import config_from_dict
from recommender.core.training.checkpoints import read_checkpoint_versions
from recommender.core.training.devices import resolve_device, run_limits
from recommender.lease import Lease, Stopped, StopReason
from recommender.loaders import load_ratings
from recommender.machine import PeakMemory, device_name, hold_device
from recommender.models import Dataset, Job, TrainedModel
from recommender.provenance import code_version, library_versions
from recommender.queues import devices_of, lane_of
from recommender.reporting import run_report
from recommender.restoring import restore_model
from recommender.selectors import ERRORS, duplicates_of
from recommender.services import claims
from recommender.services.claims import Claim, LostClaim
from recommender.services.publishing import (
    keep_evaluation,
    keep_recommendations,
    keep_trained_model,
)
from recommender.services.reconciling import remove_stray_files
from recommender.tuning import run_tuning

logger = logging.getLogger(__name__)
Watch = Callable[[Progress], None]
Status = TrainedModel.Status

#: the parts of a request that TrainedModel has columns for
IDENTITY = ("preset", *DETERMINING)


class Crashed(Exception):
    """A run ended in an unexpected error, which is recorded; another attempt follows."""


def run_job(job_id: UUID, *, owner: str, watch: Watch = ignore_progress) -> None:
    """Run the job, unless another worker has it or it has ended; record how it ended."""
    claim = claims.claim_job(job_id, owner=owner)
    if claim is None:
        logger.info("job %s is claimed or has ended", job_id)
        return
    job = Job.objects.get(pk=claim.job_id)
    logger.info("job %s (%s), attempt %d", job.pk, job.kind, claim.attempt)
    remove_stray_files(job.pk)  # files of earlier attempts
    lease = Lease(
        claim,
        time_limit_seconds=job.time_limit_seconds,
        worked_before=job.worked_seconds,
        watch=watch,
    )
    try:
        devices = list(dict.fromkeys(map(resolve_device, devices_of(job))))
        with lease, hold_device(devices, lane_of(job), lease) as device:
            options = RunOptions(device=device, progress=lease.report)
            with run_limits(options):
                WORK[job.kind](job, lease, options)
        logger.info("job %s is done", job.pk)
    except Stopped:
        _stopped(claim, lease, job)
    except (CoreError, store.StoreError) as error:
        # A wrong configuration, a missing file or too little memory: a retry would not help.
        logger.warning("job %s failed: %s", job.pk, error)
        _end(claim, claims.fail_job, error=str(error))
    except LostClaim:
        _lost(claim)
    except Exception as error:
        message = f"Unexpected {type(error).__name__}: {error}"
        _end(claim, claims.fail_job, error=message, retry=True)
        raise Crashed(message) from error
    except BaseException:  # Ctrl-C in a run without a worker
        _end(claim, claims.release_job)
        raise
    else:
        remove_stray_files(job.pk)


def run_training(job: Job, lease: Lease, options: RunOptions) -> None:
    claim, params = lease.claim, job.params
    dataset = Dataset.objects.get(pk=params["dataset"])
    config = config_from_dict(params["system"], params["config"])
    model = implementation(params["system"], config)(config)

    lease.phase("loading")
    ratings = load_ratings(dataset)
    lease.phase("splitting")
    parts = split(ratings, params["split"], params["split_seed"])

    most = params.get("max_seconds")  # like precision, missing in jobs of an earlier version
    # Measure both, because some systems compute in fit and others in predict.
    with PeakMemory(options.device) as memory:
        started = time.monotonic()
        fitting = replace(
            options,
            seed=params["seed"],
            precision=params.get("precision", "auto"),
            version=code_version(),
            checkpoint=_checkpoint(
                claim, earlier=partial_artefacts(params, dataset, options.device)
            ),
            checkpoint_seconds=settings.JOB_CHECKPOINT_SECONDS,
            max_seconds=None if most is None else max(0.0, most - lease.worked_before),
        )
        model.fit(parts.train, options=fitting)
        lease.phase("evaluating")
        errors = _measured(model, parts, lease, TRAIN_ONLY)
        seconds = time.monotonic() - started + lease.worked_before

    lease.phase("saving")
    checkpoint = f"{claim.checkpoints}/attempt-{claim.attempt}"
    learned_by = read_checkpoint_versions(store.path(checkpoint))
    origin = {
        **{name: params[name] for name in IDENTITY},
        "data_checksum": dataset.checksum,
        "code_version": code_version(),
        "begun_with": [version for version in learned_by if version != code_version()],
        "library_versions": library_versions(),
    }
    facts = {"dataset": dataset.name, **origin}
    checksum = store.write_artefact(claim.artefact, model.to_arrays(), facts)
    if not model.finished_:
        # A hard link, because another attempt needs the checkpoint until the row is committed.
        store.link(checkpoint, claim.partial)
    close_old_connections()  # the last query of this thread may be hours ago
    keep_trained_model(
        claim=claim,
        model={
            "dataset": dataset,
            "status": Status.DONE if model.finished_ else Status.PARTIAL,
            **origin,
            "split_facts": parts.facts,
            "device": device_name(options.device),
            "seconds": seconds,
            "peak_memory_mb": memory.megabytes(),
            "loss_curve": [list(point) for point in model.loss_curve_],
            "artefact_checksum": checksum,
        },
        errors=errors,
    )
    # The new model has superseded these checkpoints.
    for earlier in partial_artefacts(params, dataset, "" if model.finished_ else options.device):
        if earlier != claim.partial:
            store.remove(earlier)


def run_evaluation(job: Job, lease: Lease, options: RunOptions) -> None:
    trained = _trained_model(job)
    lease.phase("loading")
    ratings = load_ratings(trained.dataset)
    model = restore_model(trained).to(options.device)
    lease.phase("splitting")
    parts = split(ratings, trained.split, trained.split_seed)
    lease.phase("evaluating")
    # Jobs of earlier versions name no policy.
    errors = _measured(model, parts, lease, job.params.get("profile", TRAIN_ONLY))
    close_old_connections()
    keep_evaluation(claim=lease.claim, trained_model=trained, errors=errors)


def run_publishing(job: Job, lease: Lease, options: RunOptions) -> None:
    """Store the best item for each user, given all of the user's ratings.

    Neither rated items nor others of the same title and year are recommended.
    """
    trained = _trained_model(job)
    published = trained.recommendations.filter(rank=1).values_list("user", flat=True)
    users = np.setdiff1d(job.params["users"], list(published)).astype(np.int64)
    lease.phase("loading")
    profiles = load_ratings(trained.dataset).matrix()[users]
    rated = with_duplicates(profiles, duplicates_of(trained.dataset, profiles.shape[1]))
    model = restore_model(trained).to(options.device)
    best = model.recommend(profiles, 1, rated, options=options)
    rows = [
        (int(user), int(items[0]), float(scores[0]), int(tied))
        for user, items, scores, tied in zip(users, best.items, best.scores, best.tied, strict=True)
        if tied  # 0: the user has rated every item
    ]
    close_old_connections()
    keep_recommendations(claim=lease.claim, trained_model=trained, rows=rows)


WORK: dict[str, Callable[[Job, Lease, RunOptions], None]] = {
    Job.Kind.TRAIN: run_training,
    Job.Kind.EVALUATE: run_evaluation,
    Job.Kind.PUBLISH: run_publishing,
    Job.Kind.TUNE: run_tuning,
    Job.Kind.REPORT: run_report,
}


def _stopped(claim: Claim, lease: Lease, job: Job) -> None:
    logger.info("job %s stopped: %s", job.pk, lease.stop and lease.stop.value)
    match lease.stop:
        case StopReason.CANCEL:
            _end(claim, claims.end_cancelled)
        case StopReason.TIME:
            message = (
                f"The time limit of {job.time_limit_seconds} s has passed. "
                "Submit the job again with a higher limit or a smaller preset."
            )
            _end(claim, claims.fail_job, error=message)
        case StopReason.SHUTDOWN:
            _end(claim, claims.release_job)
        case _:
            _lost(claim)


def _lost(claim: Claim) -> None:
    """Remove what this attempt wrote, because another worker has the job or it has ended."""
    claims.discard_attempt(claim)
    remove_stray_files(claim.job_id)


def _end(claim: Claim, how: Callable[..., None], **values: Any) -> None:
    """End without a result: remove the files first, then update the row."""
    claims.discard_attempt(claim)
    try:
        how(claim, **values)
    except LostClaim as error:
        logger.info("%s", error)
    remove_stray_files(claim.job_id)


def partial_artefacts(params: Mapping[str, Any], dataset: Dataset, device: str = "") -> list[str]:
    """The checkpoints of partial models of the same training, newest first.

    With ``device``, only those that a run on it can resume: with another kind of device, precision
    or version of torch it would be a different training.
    """
    found = TrainedModel.objects.filter(
        status=Status.PARTIAL, dataset=dataset, data_checksum=dataset.checksum
    ).order_by("-created_at", "-pk")
    torch = library_versions()["torch"]

    def is_resumable(model: TrainedModel) -> bool:
        return (
            model.device.partition(":")[0] == device.partition(":")[0]
            and model.job.params.get("precision", "auto") == params.get("precision", "auto")
            and model.library_versions.get("torch") == torch
        )

    return [
        model.artefact.replace("artefacts/", "partials/", 1)
        for model in found.select_related("job")
        # Compared in Python, because databases differ in how they compare JSON.
        if is_same(vars(model), params) and (not device or is_resumable(model))
    ]


def _checkpoint(claim: Claim, *, earlier: Sequence[str]) -> Path:
    """This attempt's checkpoint file, taken over from an attempt before or from ``earlier``.

    Each attempt writes its own file, so that one that has lost its claim disturbs no other.
    """
    folder = store.path(claim.checkpoints)
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / f"attempt-{claim.attempt}"
    attempts = [folder / f"attempt-{attempt}" for attempt in range(claim.attempt, 0, -1)]
    newest = next((file for file in attempts if file.exists()), None)
    if newest is None:
        # A hard link is enough, because a run replaces its checkpoint and never changes it.
        kept = next((place for place in earlier if store.path(place).exists()), None)
        if kept is not None:
            own.hardlink_to(store.path(kept))
    elif newest != own:
        newest.replace(own)
    return own


def _measured(model: Recommender, parts: Split, lease: Lease, policy: str) -> dict[str, Any]:
    """The values of an Evaluation; the figures by user are written to the store."""
    figures, by_user = evaluate_users(model, parts, profile=policy, progress=lease.report)
    folder = lease.claim.evaluation
    return {
        "policy": policy,
        **{name: figures.pop(name) for name in ERRORS},
        "figures": figures,
        "users": folder,
        "users_checksum": store.write_arrays(folder, by_user.to_arrays()),
    }


def _trained_model(job: Job) -> TrainedModel:
    return TrainedModel.objects.select_related("dataset").get(pk=job.params["trained_model"])
