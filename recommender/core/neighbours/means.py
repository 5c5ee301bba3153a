"""Ratings from neighbours, in every way there is; the plain form, for any similarity."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.neighbours.levels import in_levels
from recommender.core.neighbours.similarity import RankedUsers, UserIndex, centred
from recommender.core.neighbours.trees import TreeIndex
from recommender.core.ratings import Scale
from recommender.core.systems import UserKNNConfig, override

if TYPE_CHECKING:
    from recommender.core.neighbours.overall import TopIndex

MOST_PICKED = 64  #: nearest raters of a movie that are kept in order one by one

Found = tuple[NDArray[np.float64], NDArray[np.float64]]


class Means(Protocol):
    """What neighbours make of movies: stars, and the weight behind them, 0 where there is none."""

    pairs_at_once: int  #: what is asked of ``pairs`` by whoever wants to hear from time to time

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Found:
        """For each pair of ``rows[i]``, a position in ``profiles``, and ``items[i]``.

        ``own[row]`` is the training user whose profile a row is, and who is not a neighbour.
        """

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Found:
        """For every profile and movie, each (profiles, movies)."""


class NeighbourMeans:
    """Every similarity, neighbourhood and mean of the configuration.

    With r the stars, or what they are above the user's mean where ``centre`` says so, and s the
    similarities of the neighbours v, at most k of them:

    - ``mean``: sum s r / sum |s| over the neighbours who rated the movie (which they all did
      where ``neighbours`` is "raters"), and the latter sum as weight;
    - ``mean-with-zeros``: the sums run over all neighbours, a missing rating counting as zero;
    - ``sum``: sum s r, the paper's R_j^T S_i as it is printed.

    ``compiled``: in so many threads by numba where most of the time goes; 0: without it. Both give
    the same, bit for bit.
    """

    pairs_at_once = 2_000

    def __init__(
        self, matrix: csr_array, scale: Scale, config: UserKNNConfig, *, compiled: int = 0
    ) -> None:
        self._config, self._compiled = config, compiled
        self._index = _index(matrix, scale, config, compiled)
        stars = csr_array(matrix).astype(np.float64)
        if config.centre != "nothing":
            stars = centred(stars)[0]
        self._by_movie = stars.T.tocsr()
        self._rated = csr_array(self._by_movie)
        self._rated.data = np.ones(len(self._rated.data))
        self._palette, codes = np.unique(self._by_movie.data, return_inverse=True)
        self._codes = codes.astype(np.int64)

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Found:
        asked, inverse = np.unique(rows, return_inverse=True)
        chosen, stars, weight = profiles[asked], np.zeros(len(rows)), np.zeros(len(rows))
        pairs_of = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse)))
        neighbours = self._neighbours(chosen, None if own is None else own[asked])
        means = self._own_means(chosen)
        for ranked, mean, pairs in zip(neighbours, means, pairs_of, strict=False):
            found, weight[pairs] = self._combine(ranked, items[pairs])
            stars[pairs] = mean + found
        return stars, weight

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Found:
        stars, weight = np.zeros(profiles.shape), np.zeros(profiles.shape)
        everything, means = np.arange(profiles.shape[1]), self._own_means(profiles)
        for row, ranked in enumerate(self._neighbours(profiles, own)):
            found, weight[row] = self._combine(ranked, everything)
            stars[row] = means[row] + found
        return stars, weight

    def _own_means(self, profiles: csr_array) -> NDArray[np.float64]:
        """What is added to a profile's predictions: its mean stars, where they are centred."""
        if self._config.centre == "nothing":
            return np.zeros(profiles.shape[0])
        return centred(profiles.astype(np.float64))[1]

    def _neighbours(
        self, profiles: csr_array, own: NDArray[np.int64] | None
    ) -> Iterator[RankedUsers]:
        limit = self._config.k if self._config.neighbours == "overall" else None
        return self._index.ranked(profiles, exclude=own, limit=limit)

    def _combine(self, ranked: RankedUsers, items: NDArray[np.int64]) -> Found:
        if self._config.neighbours == "raters":
            total, weight = self._of_nearest_raters(ranked, items)
        else:
            similarities = np.zeros(self._index.n_users)
            similarities[ranked.users] = ranked.similarities
            total = (self._by_movie @ similarities)[items]
            weight = (self._rated @ np.abs(similarities))[items]
            if self._config.combine == "mean-with-zeros":
                weight[:] = np.abs(similarities).sum()
        if self._config.combine == "sum":
            return total, weight
        return np.divide(total, weight, out=np.zeros(len(items)), where=weight > 0), weight

    def _of_nearest_raters(self, ranked: RankedUsers, items: NDArray[np.int64]) -> Found:
        """Sums of similarity times stars, and of similarities, over each movie's k nearest."""
        if self._compiled and self._config.k <= MOST_PICKED:
            return self._compiled_sums(ranked, items)
        places, neighbours, stars = self._nearest_raters(ranked, items)
        similarities = np.zeros((len(items), self._config.k))
        given = np.zeros((len(items), self._config.k))
        similarities[places] = ranked.similarities[neighbours]
        given[places] = stars
        total, weight = np.zeros(len(items)), np.zeros(len(items))
        for slot in range(self._config.k):  # nearest first, one by one: the same sum everywhere
            total += similarities[:, slot] * given[:, slot]
            weight += np.abs(similarities[:, slot])
        return total, weight

    def _compiled_sums(self, ranked: RankedUsers, items: NDArray[np.int64]) -> Found:
        from recommender.core.neighbours.compiled import sums

        total, weight = np.zeros(len(items)), np.zeros(len(items))
        rated, stars = self._by_movie, self._by_movie.data
        rank_of, similarities = self._rank_of(ranked), ranked.similarities
        k = self._config.k
        sums(rated.indptr, rated.indices, stars, items, rank_of, similarities, k, total, weight)
        return total, weight

    def _rank_of(self, ranked: RankedUsers) -> NDArray[np.int64]:
        """The place of every user among the ranked; their number for the others."""
        rank_of = np.full(self._index.n_users, len(ranked.users))
        rank_of[ranked.users] = np.arange(len(ranked.users))
        return rank_of

    def _nearest_raters(
        self, ranked: RankedUsers, items: NDArray[np.int64]
    ) -> tuple[
        tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64], NDArray[np.floating]
    ]:
        """The first k ranked raters of each movie, as (movie, slot) places, ranks and stars."""
        n, palette = len(ranked.users), len(self._palette)
        rank_of = self._rank_of(ranked)
        starts = self._by_movie.indptr.astype(np.int64)
        lengths = starts[items + 1] - starts[items]
        movie = np.repeat(np.arange(len(items)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        entries = starts[items][movie] + within
        ranks = rank_of[self._by_movie.indices[entries]]
        similar = ranks < n
        # Sorting one integer per rating is several times faster than lexsort on three arrays.
        codes = (movie[similar] * (n + 1) + ranks[similar]) * palette
        codes = np.sort(codes + self._codes[entries[similar]])
        movie = codes // ((n + 1) * palette)
        found = np.bincount(movie, minlength=len(items))
        slot = np.arange(len(movie)) - np.repeat(np.cumsum(found) - found, found)
        nearest = slot < self._config.k
        ranks = codes[nearest] // palette % (n + 1)
        return (movie[nearest], slot[nearest]), ranks, self._palette[codes[nearest] % palette]


def _index(
    matrix: csr_array, scale: Scale, config: UserKNNConfig, compiled: int
) -> UserIndex | TreeIndex | TopIndex:
    """The fastest way to the neighbours; all give the same."""
    if config.search != "blocks":
        return TreeIndex(matrix, scale, config)
    plain = override(config, k=5, combine="mean", fallback="bias")
    if compiled and plain == UserKNNConfig(neighbours="overall") and config.k <= MOST_PICKED:
        from recommender.core.neighbours.overall import TopIndex

        if (levels := in_levels(matrix, scale)) is not None:
            return TopIndex(levels, matrix.shape[1], scale, compiled)
    return UserIndex(matrix, scale, config, compiled=compiled)
