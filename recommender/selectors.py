"""Reads for pages, commands and studies."""

import json
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import prefetch_related_objects
from django.utils import timezone
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender import store
from recommender.core.configs.base import SystemConfig
from recommender.core.duplicates import duplicate_key, duplicate_matrix, group_duplicates
from recommender.core.profile_policies import TRAIN_ONLY
from recommender.core.systems import SEARCHED, config_from_dict, describe_preset, present_name
from recommender.core.systems import system as known_system
from recommender.loaders import load_ratings
from recommender.models import (
    Dataset,
    Item,
    Job,
    Recommendation,
    SearchedPreset,
    TrainedModel,
    Worker,
)


def jobs_in_order(job_ids: Iterable[UUID]) -> list[Job]:
    """The jobs in the order of ``job_ids``, without unknown ids."""
    ids = list(job_ids)
    jobs = Job.objects.in_bulk(ids)
    return [jobs[job_id] for job_id in ids if job_id in jobs]


def has_live_worker(within_seconds: float, *, queue: str = "", with_card: bool = False) -> bool:
    """Whether a worker was seen within this time: of that queue, or of any if it is empty."""
    since = timezone.now() - timedelta(seconds=within_seconds)
    seen = Worker.objects.filter(seen_at__gte=since)
    if with_card:
        seen = seen.filter(has_card=True)
    # Compared in Python, because databases differ in how they search JSON.
    return any(not queue or queue in worker.queues for worker in seen)


def newest_model(*, dataset: Dataset, system: str, preset: str = "") -> TrainedModel | None:
    """The newest model that was trained to its end; a partial model is only used by its id.

    The names may be present or former ones (``systems.MOVED``).
    """
    system = present_name(system, preset)
    found = TrainedModel.objects.filter(dataset=dataset, status=TrainedModel.Status.DONE)
    names = found.order_by("-created_at", "-pk").values_list("pk", "system", "preset")
    for pk, former, its_preset in names:
        if present_name(former, its_preset) == system and preset in ("", its_preset):
            return TrainedModel.objects.get(pk=pk)
    return None


def find_preset(
    *, dataset: Dataset, system: str, preset: str, split: str, split_seed: int
) -> tuple[str, Any]:
    """The name and configuration of a preset, or of the default where the system lacks it.

    ``searched`` is what ``tune_models`` has found for this data set and split.
    """
    if preset == SEARCHED:
        place = {"dataset": dataset, "system": system, "split": split, "split_seed": split_seed}
        if found := SearchedPreset.objects.filter(**place).first():
            return SEARCHED, config_from_dict(system, found.config)
    return known_system(system).preset(preset)


def lacking_needs(dataset: Dataset, config: SystemConfig) -> list[str]:
    """What a system of this configuration needs and the data set does not have."""
    return load_ratings(dataset).lacks(config.needs) if config.needs else []


def models_to_report(*, dataset: Dataset, split: str) -> list[TrainedModel]:
    """The newest finished model of each system, preset and seed on the present ratings.

    The newest is first. Of a system and preset only models with one seed of the split are kept,
    that of the newest.
    """
    found = TrainedModel.objects.filter(
        dataset=dataset,
        split=split,
        status=TrainedModel.Status.DONE,
        data_checksum=dataset.checksum,
    ).prefetch_related("evaluations")
    newest: dict[tuple[str, str], TrainedModel] = {}
    kept: dict[tuple[str, str, int], TrainedModel] = {}
    for model in found.order_by("-created_at", "-pk"):
        shown = describe_preset(model.system, model.preset, model.config)
        first = newest.setdefault((model.system, shown), model)
        if model.split_seed == first.split_seed:
            kept.setdefault((model.system, shown, model.seed), model)
    return list(kept.values())


def report_jobs(*, dataset: Dataset) -> list[Job]:
    """The jobs that made or will make the report of the paper's exhibits, newest first."""
    jobs = Job.objects.filter(kind=Job.Kind.REPORT).order_by("-created_at")
    # Compared in Python, because databases differ in how they compare JSON.
    return [job for job in jobs if job.params["dataset"] == dataset.pk]


def read_report(job: Job) -> dict[str, Any]:
    """The report that a finished job made; StoreError if its files are missing or were changed."""
    folder = store.verified(job.result["folder"], job.result["checksum"])
    found: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return found


def leaderboard(trained_models: Iterable[TrainedModel]) -> list[dict[str, Any]]:
    """One row for each model, in the given order, ready for JSON; missing figures are None."""
    models = list(trained_models)
    prefetch_related_objects(models, "evaluations")
    return [_row(model) for model in models]


ERRORS = ("n_train", "n_test", "cold_share", "train_rmse", "rmse", "mse", "mae")


def _row(model: TrainedModel) -> dict[str, Any]:
    errors = next((item for item in model.evaluations.all() if item.policy == TRAIN_ONLY), None)
    mixed, system = bool(model.begun_with), present_name(model.system, model.preset)
    return {
        "id": model.pk,
        "system": system,
        "preset": describe_preset(system, model.preset, model.config),
        "split": model.split,
        "status": model.status,
        **{name: getattr(errors, name, None) for name in ERRORS},
        "seconds": model.seconds,
        "peak_memory_mb": model.peak_memory_mb,
        # Only if one version of the code continued the training of another.
        **({"begun_with": model.begun_with, "code_version": model.code_version} if mixed else {}),
    }


def unfinished_row(job: Job) -> dict[str, Any]:
    """The row of a training job that produced no model."""
    wish = job.params
    system = present_name(wish["system"], wish["preset"])
    return {
        "id": None,
        "system": system,
        "preset": describe_preset(system, wish["preset"], wish["config"]),
        "split": wish["split"],
        "status": job.status,
        **dict.fromkeys((*ERRORS, "seconds", "peak_memory_mb")),
    }


def recommendations_for(
    *, trained_model: TrainedModel, users: Sequence[int]
) -> dict[int, Recommendation]:
    """The first recommendation of each user that has one."""
    # Filtered here, because databases limit the number of values in a query.
    wanted = set(users)
    rows = trained_model.recommendations.filter(rank=1).select_related("item")
    return {row.user: row for row in rows if row.user in wanted}


def duplicates_of(dataset: Dataset, n_items: int) -> csr_array:
    """(n_items, n_groups) bool: which rated items have the same title and year."""
    rated = Item.objects.filter(dataset=dataset).exclude(position=None).order_by("position")
    titles = rated.values_list("title", "year")
    return duplicate_matrix(
        group_duplicates(enumerate(duplicate_key(*title) for title in titles)), n_items
    )


def eligible_users(
    *,
    dataset: Dataset,
    minimum: int,
    maximum: int | None = None,
    era: tuple[int | None, int | None] = (None, None),
) -> NDArray[np.int64]:
    """Rows of the rating matrix with ``minimum`` to ``maximum`` ratings, ascending.

    With an ``era``, only users whose items have their median year in it, both ends included.
    """
    counts = np.diff(load_ratings(dataset).indptr)
    fits = counts >= minimum
    if maximum is not None:
        fits &= counts <= maximum
    first, last = era
    if first is not None or last is not None:
        medians = median_years(dataset=dataset)
        # A user without any year is in no era, because a comparison with NaN is false.
        fits &= (medians >= (first or -np.inf)) & (medians <= (last or np.inf))
    return np.flatnonzero(fits)


def median_years(*, dataset: Dataset) -> NDArray[np.float64]:
    """The median release year of the items in each row of the rating matrix (n_users,).

    Items without a year are ignored; a row without any year gives NaN.
    """
    import polars  # only here: it takes a tenth of a second

    ratings = load_ratings(dataset)
    years = np.zeros(ratings.n_items, np.int16)
    dated = Item.objects.filter(dataset=dataset, position__isnull=False, year__gt=0)
    known = np.array(list(dated.values_list("position", "year")), np.int64).reshape(-1, 2)
    years[known[:, 0]] = known[:, 1]
    users = ratings.rows().astype(np.int32)
    seen = polars.DataFrame({"user": users, "year": years[ratings.indices]})
    by_user = seen.filter(polars.col("year") > 0).group_by("user")
    found = by_user.agg(polars.col("year").median())
    medians = np.full(ratings.n_users, np.nan)
    medians[found["user"].to_numpy()] = found["year"].to_numpy()
    return medians


def user_rows(*, dataset: Dataset) -> dict[str, int]:
    """The row of the rating matrix by the source's user id, as text."""
    ids = load_ratings(dataset).user_ids
    return {str(name): row for row, name in enumerate(ids.tolist())}


def has_rated(
    *,
    dataset: Dataset,
    users: NDArray[np.int64],
    labels: NDArray[np.int64],
    label_of: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """For each pair of a user (n,) and a label (n,): whether the user rated an item with it.

    ``label_of`` (n_items,) gives the label of each position; several may have the same one.
    """
    ratings = load_ratings(dataset)
    shape = ratings.n_users, max(labels.max(initial=0), label_of.max(initial=0)) + 1
    given = np.ones(len(ratings.indices), np.int32)
    rated = csr_array((given, label_of[ratings.indices], ratings.indptr), shape=shape)
    return rated[users[None], labels[None]].toarray()[0] > 0


def profiles_of(*, dataset: Dataset, users: Sequence[int]) -> dict[int, list[tuple[Item, float]]]:
    """The items that each user rated, with the rating, in the order of the matrix."""
    ratings = load_ratings(dataset)
    items = {
        item.position: item for item in Item.objects.filter(dataset=dataset, position__isnull=False)
    }
    profiles = {}
    for user in users:
        span = slice(int(ratings.indptr[user]), int(ratings.indptr[user + 1]))
        profiles[int(user)] = [
            (items[int(position)], float(rating))
            for position, rating in zip(ratings.indices[span], ratings.values[span], strict=True)
        ]
    return profiles
