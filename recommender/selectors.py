"""Reads for pages, commands and studies; nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from recommender.core.systems import describe_preset
from recommender.models import Dataset, Item, Job, Recommendation, TrainedModel, Worker

OPEN = {Job.Status.QUEUED, Job.Status.RUNNING}


@dataclass(frozen=True)
class JobProgress:
    """Where a job stands; ``share`` of the present phase is None while nobody can tell."""

    id: UUID
    kind: str
    status: str
    phase: str
    share: float | None
    epoch: int
    loss: float | None
    seconds_left: float | None
    rate: float | None  #: units a second of what the share is of
    error: str
    attempts: int
    #: nobody works on it: it waits for a worker
    is_idle: bool
    #: done, but its time was up before its last pass
    is_partial: bool = False

    @property
    def has_ended(self) -> bool:
        return self.status not in OPEN


def job_progress(job_ids: Iterable[UUID]) -> list[JobProgress]:
    """In the order of ``job_ids``; unknown ids are left out."""
    ids = list(job_ids)
    jobs = Job.objects.in_bulk(ids)
    return [_progress(jobs[job_id]) for job_id in ids if job_id in jobs]


def _progress(job: Job) -> JobProgress:
    share = min(1.0, job.done_units / job.total_units) if job.total_units else None
    lapsed = job.lease_until is None or job.lease_until < timezone.now()
    return JobProgress(
        id=job.pk,
        kind=job.kind,
        status=job.status,
        phase=job.phase,
        share=1.0 if job.status == Job.Status.DONE else share,
        epoch=job.epoch,
        loss=job.loss,
        seconds_left=job.seconds_left,
        rate=work_rate(job.done_units, job.total_units, job.seconds_left),
        error=job.error,
        attempts=job.attempts,
        is_idle=job.status in OPEN and (job.status == Job.Status.QUEUED or lapsed),
        is_partial=job.result.get("status") == TrainedModel.Status.PARTIAL,
    )


def work_rate(done: int, total: int, seconds_left: float | None) -> float | None:
    """Units a second, by which what is left takes so long; None while nobody can tell."""
    return (total - done) / seconds_left if seconds_left else None


def has_live_worker(within_seconds: float, *, queue: str = "device") -> bool:
    """Whether a worker of that queue showed itself lately."""
    since = timezone.now() - timedelta(seconds=within_seconds)
    return any(queue in worker.queues for worker in Worker.objects.filter(seen_at__gte=since))


def newest_model(*, dataset: Dataset, system: str, preset: str = "") -> TrainedModel | None:
    """Of those that were trained to their end; a partial one is taken by its id alone."""
    done = TrainedModel.Status.DONE
    found = TrainedModel.objects.filter(dataset=dataset, system=system, status=done)
    if preset:
        found = found.filter(preset=preset)
    return found.order_by("-created_at", "-pk").first()


def leaderboard(trained_models: Iterable[TrainedModel]) -> list[dict[str, Any]]:
    """One row a model, in the given order, ready for JSON; figures it lacks are None."""
    ids = [model.pk for model in trained_models]
    models = TrainedModel.objects.prefetch_related("evaluations").in_bulk(ids)
    return [_row(models[pk]) for pk in ids if pk in models]


ERRORS = ("n_train", "n_test", "cold_share", "train_rmse", "rmse", "mse", "mae")


def _row(model: TrainedModel) -> dict[str, Any]:
    errors = next((item for item in model.evaluations.all() if item.policy == "train-only"), None)
    mixed = bool(model.begun_with)
    return {
        "id": model.pk,
        "system": model.system,
        "preset": describe_preset(model.system, model.preset, model.config),
        "split": model.split,
        "status": model.status,
        **{name: getattr(errors, name, None) for name in ERRORS},
        "seconds": model.seconds,
        "peak_memory_mb": model.peak_memory_mb,
        # Only where one version of the code went on with what another had begun.
        **({"begun_with": model.begun_with, "code_version": model.code_version} if mixed else {}),
    }


def unfinished_row(job: Job) -> dict[str, Any]:
    """The row of a training job that left no model."""
    wish = job.params
    return {
        "id": None,
        "system": wish["system"],
        "preset": describe_preset(wish["system"], wish["preset"], wish["config"]),
        "split": wish["split"],
        "status": job.status,
        **dict.fromkeys((*ERRORS, "seconds", "peak_memory_mb")),
    }


def recommendations_for(
    *, trained_model: TrainedModel, users: Sequence[int]
) -> dict[int, Recommendation]:
    """The first recommendation of each user that has one."""
    # Read whole, not by a list of users: databases limit the number of values in a query.
    wanted = set(users)
    rows = trained_model.recommendations.filter(rank=1).select_related("item")
    return {row.user: row for row in rows if row.user in wanted}


#: Ratings looked at in one piece: bounds the memory, whatever the size of the data.
RATINGS_A_PIECE = 4_000_000


def eligible_users(
    *,
    dataset: Dataset,
    minimum: int,
    maximum: int | None = None,
    era: tuple[int | None, int | None] = (None, None),
) -> NDArray[np.int64]:
    """Rows of the rating matrix with ``minimum`` to ``maximum`` ratings, ascending.

    With an ``era``, those alone whose movies' median year lies in it, both ends included.
    """
    from recommender.loaders import load_ratings

    counts = np.diff(load_ratings(dataset).indptr)
    fits = counts >= minimum
    if maximum is not None:
        fits &= counts <= maximum
    first, last = era
    if first is not None or last is not None:
        medians = median_years(dataset=dataset)
        # One without any year is in no era: comparing NaN gives false.
        fits &= (medians >= (first or -np.inf)) & (medians <= (last or np.inf))
    return np.flatnonzero(fits)


def median_years(*, dataset: Dataset) -> NDArray[np.float64]:
    """For each row of the rating matrix the median release year of the movies it holds.

    Movies without a year are left out; NaN where no year is left.
    """
    from recommender.loaders import load_ratings

    ratings = load_ratings(dataset)
    years = np.zeros(ratings.n_items, np.int64)
    dated = Item.objects.filter(dataset=dataset, position__isnull=False, year__gt=0)
    known = np.array(list(dated.values_list("position", "year")), np.int64).reshape(-1, 2)
    years[known[:, 0]] = known[:, 1]
    medians = np.full(ratings.n_users, np.nan)
    start = 0
    while start < ratings.n_users:
        begin = ratings.indptr[start]
        end = int(np.searchsorted(ratings.indptr, begin + RATINGS_A_PIECE, side="right")) - 1
        end = max(end, start + 1)
        rows = slice(start, end)
        seen = years[ratings.indices[begin : ratings.indptr[end]]]
        users = np.repeat(np.arange(end - start), np.diff(ratings.indptr[start : end + 1]))
        medians[rows] = _medians(users[seen > 0], seen[seen > 0], end - start)
        start = end
    return medians


def _medians(groups: NDArray, values: NDArray, n_groups: int) -> NDArray[np.float64]:
    """The median of the values (n,) of each group; NaN for one without any."""
    # One sort of both at once: the group in the high bits, the year in the low ones.
    ordered = np.sort((groups.astype(np.int64) << 16) | values) & 0xFFFF
    counts = np.bincount(groups, minlength=n_groups)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    found = np.full(n_groups, np.nan)
    some = counts > 0
    low = ordered[starts[some] + (counts[some] - 1) // 2]
    high = ordered[starts[some] + counts[some] // 2]
    found[some] = (low + high) / 2
    return found


def user_rows(*, dataset: Dataset) -> dict[str, int]:
    """The source's id of every user, as text, with the row of the rating matrix."""
    from recommender.loaders import load_ratings

    ids = load_ratings(dataset).user_ids
    return {str(name): row for row, name in enumerate(ids.tolist())}


def has_rated(
    *, dataset: Dataset, users: NDArray[np.int64], positions: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """For each user (n,) and movie position (n,) whether this user rated this movie."""
    from recommender.loaders import load_ratings

    ratings = load_ratings(dataset)
    low = ratings.indptr[users].astype(np.int64)
    end = ratings.indptr[users + 1].astype(np.int64)
    high = end.copy()
    # A user's movies are in order: all are searched at once, each in its own span.
    while np.any(low < high):
        middle = (low + high) // 2
        open_ = low < high
        before = np.zeros(len(users), bool)
        before[open_] = ratings.indices[middle[open_]] < positions[open_]
        low = np.where(open_ & before, middle + 1, low)
        high = np.where(open_ & ~before, middle, high)
    found = low < end
    found[found] = ratings.indices[low[found]] == positions[found]
    return found


def profiles_of(*, dataset: Dataset, users: Sequence[int]) -> dict[int, list[tuple[Item, float]]]:
    """Every movie that each of these users rated, with the stars, in the order of the matrix."""
    from recommender.loaders import load_ratings

    ratings = load_ratings(dataset)
    movies = {
        movie.position: movie
        for movie in Item.objects.filter(dataset=dataset, position__isnull=False)
    }
    profiles = {}
    for user in users:
        span = slice(int(ratings.indptr[user]), int(ratings.indptr[user + 1]))
        profiles[int(user)] = [
            (movies[int(item)], float(stars))
            for item, stars in zip(ratings.indices[span], ratings.values[span], strict=True)
        ]
    return profiles
