"""Ratings as whole levels, which make every dot product an exact integer; who is nearest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

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
    if units.min(initial=1) < 1 or units.max(initial=1) > HIGHEST:
        return None
    levels = units.astype(np.uint8)
    # kernels are compiled for arrays that may be written to; memory-mapped ones may not
    indptr = np.require(matrix.indptr, np.int64, ["C", "W"])
    return Levels(indptr, np.require(matrix.indices, np.int32, ["C", "W"]), levels)


def cosines(keys: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """From keys ``dot^2 / |v|^2`` (queries, k) and squared norms of the queries (queries)."""
    below = squares[:, None]
    found = np.sqrt(np.divide(keys, below, out=np.zeros(keys.shape), where=below > 0))
    return np.minimum(found, 1.0)


def workers(threads: int | None) -> int:
    """How many threads to use: those asked for, or one for each processor at hand."""
    return threads or os.cpu_count() or 1
