"""Exact neighbours: who is most like whom, and what they make of a movie.

``similarity`` and ``means`` are the plain form of every variant, in scipy. For the full-vector
cosine of whole levels, ``top`` (the k nearest users) and ``raters`` (the k nearest who rated a
movie) give the same, bit for bit, compiled by numba: ``lanes`` → ``packed`` → ``top`` → ``walk`` →
``raters``. Decision note 0010 has the measurements.
"""

from __future__ import annotations

from importlib.util import find_spec

from scipy.sparse import csr_array

from recommender.core.neighbours.means import Means, NeighbourMeans
from recommender.core.neighbours.similarity import RankedUsers, UserIndex
from recommender.core.ratings import Scale
from recommender.core.systems import UserKNNConfig, override

__all__ = ["Means", "NeighbourMeans", "RankedUsers", "UserIndex", "neighbour_means"]

FEWEST_USERS = 5_000  #: from which on it pays to compile: some 20 seconds, once for a machine


def neighbour_means(
    matrix: csr_array, scale: Scale, config: UserKNNConfig, threads: int | None = None
) -> Means:
    """The fastest exact means for this configuration, data and machine; all give the same."""
    compiles = find_spec("numba") is not None
    plain = override(config, k=5, fallback="bias") == UserKNNConfig()
    if compiles and plain and matrix.shape[0] >= FEWEST_USERS:
        from recommender.core.neighbours.packed import in_levels
        from recommender.core.neighbours.raters import RaterMeans

        if (profiles := in_levels(matrix, scale)) is not None:
            return RaterMeans(profiles, matrix.shape[1], scale, config.k, threads)
    return NeighbourMeans(matrix, scale, config)
