"""Exact neighbours: who is most like whom, and what they make of a movie.

``similarity`` and ``means`` are the plain form of every variant, in scipy. For the full-vector
cosine of whole levels (``levels``), ``top`` (the k nearest users) and ``raters`` (the k nearest who
rated a movie) give the same, bit for bit, compiled by numba: ``lanes`` → ``packed`` → ``top`` →
``walk`` → ``raters``; ``overall`` brings ``top`` to ``means``. Decision note 0010 has the
measurements. ``tiles`` is ``top`` for a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.levels import (
    Nearest,
    comparable,
    in_levels,
    positions,
    workers,
)
from recommender.core.neighbours.means import Means, NeighbourMeans
from recommender.core.neighbours.similarity import RankedUsers, UserIndex
from recommender.core.ratings import Scale
from recommender.core.systems import Progress, UserKNNConfig, ignore_progress, override

__all__ = [
    "Means",
    "Nearest",
    "NeighbourMeans",
    "RankedUsers",
    "UserIndex",
    "nearest_users",
    "neighbour_means",
]

FEWEST_USERS = 5_000  #: from which on it pays to compile: some 20 seconds, once for a machine


def neighbour_means(
    matrix: csr_array, scale: Scale, config: UserKNNConfig, threads: int | None = None
) -> Means:
    """The fastest exact means for this configuration, data and machine; all give the same."""
    compiles = find_spec("numba") is not None and matrix.shape[0] >= FEWEST_USERS
    plain = override(config, k=5, fallback="bias") == UserKNNConfig()
    if compiles and plain:
        from recommender.core.neighbours.raters import RaterMeans

        if (profiles := in_levels(matrix, scale)) is not None:
            return RaterMeans(profiles, matrix.shape[1], scale, config.k, threads)
    return NeighbourMeans(matrix, scale, config, compiled=workers(threads) if compiles else 0)


def nearest_users(
    matrix: csr_array,
    scale: Scale,
    k: int,
    *,
    rows: NDArray[np.int64] | None = None,
    profiles: csr_array | None = None,
    cosine: bool = True,
    device: str = "cpu",
    threads: int | None = None,
    progress: Callable[[Progress], None] = ignore_progress,
) -> Nearest:
    """The k users in ``matrix`` (users x movies, stars) nearest to each of the profiles.

    By full-vector cosine, else by dot product; then larger overlap, then lower position: the same
    lists on every ``device``, "cpu" (all cores, or ``threads``) or "cuda". ``profiles`` may be of
    other people; without them every user, or those in ``rows``, is asked for, and is not the own
    neighbour. ``progress`` may raise to stop.

    Raises ConfigurationError for stars that are not on the scale or not 1 to 15 whole steps of
    it, movies that do not ascend in a row, profiles over another number of movies, rows that there
    are not, a k below 1, and where there is no such device.
    """
    if k < 1:
        raise ConfigurationError(f"There are no k={k} nearest users: ask for one at least.")
    levels = asking = comparable(matrix, scale, "users")
    if profiles is not None:
        if profiles.shape[1] != matrix.shape[1]:
            raise ConfigurationError(
                f"The profiles have {profiles.shape[1]} movies, the users {matrix.shape[1]}."
            )
        asking = comparable(profiles, scale, "profiles")
    n = len(asking.indptr) - 1
    chosen = np.arange(n) if rows is None else positions(rows, n)
    own = chosen if profiles is None else np.full(len(chosen), -1)
    if device == "cpu" and find_spec("numba") is not None:
        from recommender.core.neighbours.packed import pack
        from recommender.core.neighbours.top import nearest

        packed = pack(levels, matrix.shape[1], threads)
        return nearest(
            packed, asking, chosen, k, own=own, cosine=cosine, threads=threads, progress=progress
        )
    from recommender.core.neighbours import tiles  # torch is needed for these alone

    return tiles.nearest(
        levels, matrix.shape[1], asking, chosen, k,
        own=own, cosine=cosine, device=device, progress=progress,
    )  # fmt: skip
