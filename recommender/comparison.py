"""Reads the table of systems on one split: which models belong to it, and their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any, get_args

from recommender import store
from recommender.core.metrics import UserFigures, average_users
from recommender.core.significance import Measure, compare_systems
from recommender.core.systems import (
    config_from_dict,
    config_to_dict,
    describe_preset,
    present_name,
)
from recommender.models import Dataset, Evaluation, Job, TrainedModel
from recommender.selectors import ERRORS

#: the parts of a training request that determine what is learned; a preset is only a name
DETERMINING = ("system", "config", "seed", "split", "split_seed")
FACTS = ("n_train", "n_test", "cold_share", "train_rmse")
FIGURES = (
    *("rmse", "mse", "half_mse", "mae", "user_rmse", "user_mae", "coverage"),
    *("ndcg_10", "recall_10", "mrr", "catalogue_coverage", "mean_popularity", "novelty"),
)
COSTS = ("seconds", "peak_memory_mb")


@dataclass
class TableRow:
    """One row of the table: a system with one training for each seed.

    ``params`` are those of its training jobs. ``lacks``: what the data set does not have; then
    there are no trainings. ``status``: of a job that ended without a result.
    """

    dataset: Dataset
    system: str
    split: str
    profile: str
    params: Sequence[Mapping[str, Any]] = ()
    lacks: Sequence[str] = ()
    status: str = ""
    errors: list[str] = field(default_factory=list)


def trained_for(params: Mapping[str, Any]) -> TrainedModel | None:
    """The newest finished model of these parameters, on the present ratings of the data set."""
    found = TrainedModel.objects.filter(
        dataset=params["dataset"],
        status=TrainedModel.Status.DONE,
    ).select_related("dataset")
    # Compared in Python, because databases differ in how they compare JSON.
    return next(
        (
            model
            for model in found.order_by("-created_at", "-pk")
            if model.data_checksum == model.dataset.checksum and is_same(vars(model), params)
        ),
        None,
    )


def open_job(kind: str, params: Mapping[str, Any]) -> Job | None:
    """A job that has not ended and will give what a job of these parameters would."""
    names = ("dataset", *DETERMINING) if kind == Job.Kind.TRAIN else ("trained_model", "profile")
    waiting = Job.objects.filter(kind=kind, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    return next((job for job in waiting if is_same(job.params, params, names)), None)


def same_search(params: Mapping[str, Any]) -> Job | None:
    """A search of the same settings that is done or has not ended; the newest if there are more."""
    alive = [Job.Status.QUEUED, Job.Status.RUNNING, Job.Status.DONE]
    found = Job.objects.filter(kind=Job.Kind.TUNE, status__in=alive).order_by("-created_at")
    names = ("dataset", "trials", *DETERMINING)
    return next((job for job in found if is_same(job.params, params, names)), None)


def evaluation_of(model: TrainedModel, profile: str) -> Evaluation | None:
    """None also for a row of an earlier version, which lacks most figures."""
    found = model.evaluations.filter(policy=profile).first()
    return found if found and found.figures else None


def row_of(line: TableRow) -> dict[str, Any]:
    """One row, ready for JSON: means over the seeds, and their standard deviations as ``spread``.

    A figure that a system does not have is None. ``strata`` are those of the first seed.
    """
    pairs = _evaluated(line)
    values = [_values(model, found) for model, found in pairs]
    params = line.params[0] if line.params else None
    mean, spread = _over_seeds(values)
    config = config_from_dict(params["system"], params["config"]) if params else None
    return {
        "dataset": line.dataset.name,
        "system": line.system,
        "preset": describe_preset(line.system, params["preset"], params["config"])
        if params
        else None,
        "split": line.split,
        "profile": line.profile,
        "status": _status(line, len(pairs)),
        "uses_dates": config.uses_dates if config else None,
        "seeds": [model.seed for model, _ in pairs],
        "models": [model.pk for model, _ in pairs],
        **mean,
        "spread": spread,
        "strata": pairs[0][1].figures.get("strata") if pairs else None,
    }


def compare_rows(lines: Sequence[TableRow], reference: str) -> dict[str, dict[str, Any]]:
    """How each system differs from the reference, by system and measure, ready for JSON.

    The rows are those of ``compare_systems``, corrected over all systems of the table for each
    measure. Of a system with several seeds the mean of each user's figures is compared. Empty if
    the reference has no figures. StoreError if stored figures are missing or were changed.
    """
    by_user = {
        line.system: average_users([_figures_by_user(found) for _, found in pairs])
        for line in lines
        if (pairs := _evaluated(line))
    }
    if reference not in by_user:
        return {}
    first = by_user.pop(reference)
    rows: dict[str, dict[str, Any]] = {system: {} for system in by_user}
    for measure in get_args(Measure):
        for row in compare_systems(first, by_user, measure):
            rows[row["system"]][measure] = row
    return rows


def _evaluated(line: TableRow) -> list[tuple[TrainedModel, Evaluation]]:
    """The models of the row, one for each seed, that have its figures."""
    return [
        (model, found)
        for model in map(trained_for, line.params)
        if model and (found := evaluation_of(model, line.profile))
    ]


def _figures_by_user(found: Evaluation) -> UserFigures:
    return UserFigures.from_arrays(store.read_arrays(found.users, found.users_checksum))


def _status(line: TableRow, n_found: int) -> str:
    if line.lacks:
        return f"needs {' and '.join(line.lacks)}"
    return "done" if n_found == len(line.params) else line.status or "missing"


def _values(model: TrainedModel, found: Evaluation) -> dict[str, float | None]:
    figures = {**{name: getattr(found, name) for name in ERRORS}, **found.figures}
    costs = {name: getattr(model, name) for name in COSTS}
    return {name: {**figures, **costs}.get(name) for name in (*FACTS, *FIGURES, *COSTS)}


def _over_seeds(
    values: Sequence[Mapping[str, float | None]],
) -> tuple[dict[str, float | None], dict[str, float]]:
    mean: dict[str, float | None] = {}
    spread = {}
    for name in (*FACTS, *FIGURES, *COSTS):
        known = [value for each in values if (value := each[name]) is not None]
        mean[name] = known[0] if len(set(known)) == 1 else fmean(known) if known else None
        if len(set(known)) > 1:
            spread[name] = stdev(known)
    return mean, spread


def is_same(
    found: Mapping[str, Any], wanted: Mapping[str, Any], names: Iterable[str] = DETERMINING
) -> bool:
    """Whether these parameters are equal, whatever the system was called at the time of ``found``.

    Configurations may have got fields since then; their defaults stand for what was before.
    """
    usual = {}
    if "config" in names:
        config = config_from_dict(wanted["system"], wanted["config"])
        usual = config_to_dict(type(config)())

    def value(params: Mapping[str, Any], name: str) -> Any:
        if name == "system":
            return present_name(params[name], params["preset"])
        return {**usual, **params[name]} if name == "config" else params.get(name)

    return all(value(found, name) == value(wanted, name) for name in names)
