"""Ratings as whole levels, which make every dot product an exact integer; who is nearest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale

HIGHEST = 15  #: level


class Levels(NamedTuple):
    """Profiles as a CSR matrix of whole levels: stars = level * step of the scale."""

    indptr: NDArray[np.int64]
    movies: NDArray[np.int32]
    levels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest users of each query, best first.

    ``users`` (queries, k) int32, -1 where fewer than k share a movie; ``similarities`` (queries,
    k) float64, 0 there. ``visited``: the share of all ratings that was read.
    """

    users: NDArray[np.int32]
    similarities: NDArray[np.float64]
    visited: float


def in_levels(matrix: csr_array, scale: Scale) -> Levels | None:
    """Stars as levels; None where they are not 1 to 15 whole steps of the scale."""
    lowest = scale.minimum / scale.step
    if abs(lowest - round(lowest)) > 1e-6 or round(scale.maximum / scale.step) > HIGHEST:
        return None
    units = np.rint(np.asarray(matrix.data) / scale.step)
    if not (units.min(initial=1) >= 1 and units.max(initial=1) <= HIGHEST):  # nor NaN
        return None
    levels = units.astype(np.uint8)
    # kernels are compiled for arrays that may be written to; memory-mapped ones may not
    indptr = np.require(matrix.indptr, np.int64, ["C", "W"])
    return Levels(indptr, np.require(matrix.indices, np.int32, ["C", "W"]), levels)


def comparable(matrix: csr_array, scale: Scale, name: str) -> Levels:
    """Profiles that somebody else made, as levels; ConfigurationError says what is wrong.

    Nothing that reads them afterwards looks at bounds, so all is looked at here.
    """
    starts, movies = np.asarray(matrix.indptr), np.asarray(matrix.indices)
    if matrix.data.dtype.kind not in "iuf":
        raise ConfigurationError(f"The stars of the {name} are {matrix.data.dtype}, not numbers.")
    lengths = np.diff(starts)
    whole = len(starts) == matrix.shape[0] + 1 and starts[0] == 0 and (lengths >= 0).all()
    if not whole or not starts[-1] == len(movies) == len(matrix.data):
        raise ConfigurationError(f"The {name} are no valid CSR matrix: check indptr.")
    if movies.min(initial=0) < 0 or movies.max(initial=-1) >= matrix.shape[1]:
        raise ConfigurationError(f"The {name} hold movies outside of 0 to {matrix.shape[1] - 1}.")
    ascends = np.diff(movies) > 0
    edges = starts[1:-1]
    ascends[edges[(edges > 0) & (edges < len(movies))] - 1] = True  # from one row to the next
    if not ascends.all():
        raise ConfigurationError(
            f"The movies of the {name} must ascend in each row, none of them twice: call "
            "sum_duplicates() and sort_indices()."
        )
    levels = in_levels(matrix, scale) if scale.contains(matrix.data).all() else None
    if levels is None:
        raise ConfigurationError(
            f"Nearest users are found among ratings of 1 to {HIGHEST} whole steps of the scale "
            f"{scale}; those of the {name} are others."
        )
    return levels


def positions(rows: ArrayLike, n: int) -> NDArray[np.int64]:
    """Rows of n profiles; ConfigurationError where they are not."""
    chosen = np.asarray(rows)
    if chosen.ndim != 1 or (chosen.dtype.kind not in "iu" and len(chosen)):
        raise ConfigurationError("The rows are to be whole numbers in one dimension.")
    if len(chosen) and not (chosen.min() >= 0 and chosen.max() < n):
        raise ConfigurationError(f"The rows are to be from 0 to {n - 1}: there are {n} profiles.")
    return chosen.astype(np.int64)


def cosines(keys: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """From keys ``dot^2 / |v|^2`` (queries, k) and squared norms of the queries (queries)."""
    below = squares[:, None]
    found = np.sqrt(np.divide(keys, below, out=np.zeros(keys.shape), where=below > 0))
    return np.minimum(found, 1.0)


def workers(threads: int | None) -> int:
    """How many threads to use: those asked for, or one for each processor at hand."""
    return threads or os.cpu_count() or 1
