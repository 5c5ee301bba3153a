"""User-user neighbours (paper, sections II and IV.B): the k most similar users who rated it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours import RankedUsers, UserIndex
from recommender.core.ratings import Ratings
from recommender.core.systems import BiasConfig, RunOptions, UserKNNConfig

DECIMALS = 9  # a mean of equal stars is those stars exactly, so that tied movies are truly tied


class UserKNN(Recommender):
    """The similarity-weighted mean of what the k nearest raters of a movie gave it.

    Neighbours are the k users most similar to the profile among those who rated the movie
    (similarity, then overlap, then user position; similarity must be above zero; a training
    user is never the own neighbour). The mean is rounded to nine decimals. Where no neighbour
    is left the damped bias stands in. Ties between movies: the sum of the k similarities, then
    the movie's number of ratings, then the seeded hash.
    """

    name: ClassVar[str] = "user-knn"
    config: UserKNNConfig
    bias_: BiasTerms

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        if self.config.similarity != "cosine" or self.config.k < 1:
            raise ConfigurationError(
                f"user-knn cannot use similarity={self.config.similarity!r} with "
                f"k={self.config.k}. The similarity is cosine, and k is at least 1."
            )
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self._build_index()

    def _build_index(self) -> None:
        """Movie columns with rating codes, so that a rating fits into one sortable integer."""
        self._index = UserIndex(self.profiles_, self.scale_)
        columns = csr_array(self.profiles_).tocsc()
        self._starts = columns.indptr.astype(np.int64)
        self._raters = columns.indices.astype(np.int64)
        self._palette, codes = np.unique(columns.data, return_inverse=True)
        self._codes = codes.astype(np.int64)

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
    ) -> NDArray[np.float64]:
        asked, inverse = np.unique(rows, return_inverse=True)
        chosen = profiles[asked]
        found = self.bias_.predict(chosen, inverse, items)
        pairs_of = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse)))
        neighbours = self._index.ranked(chosen, exclude=asked if training else None)
        for ranked, pairs in zip(neighbours, pairs_of, strict=False):
            stars, weight = self._weighted_mean(ranked, items[pairs])
            found[pairs] = np.where(weight > 0, stars, found[pairs])
        return np.round(found, DECIMALS)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        scores, weights = self.bias_.grid(profiles), np.zeros(profiles.shape)
        everything = np.arange(self.n_items_)
        for row, ranked in enumerate(self._index.ranked(profiles, exclude=users)):
            stars, weights[row] = self._weighted_mean(ranked, everything)
            scores[row] = np.where(weights[row] > 0, stars, scores[row])
        return np.round(scores, DECIMALS), weights, self.counts_.astype(np.float64)

    def _weighted_mean(
        self, ranked: RankedUsers, items: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Stars and sum of similarities of each movie's nearest raters; both 0 without any."""
        places, neighbours, stars = self._nearest_raters(ranked, items)
        similarities = np.zeros((len(items), self.config.k))
        given = np.zeros((len(items), self.config.k))
        similarities[places] = ranked.similarities[neighbours]
        given[places] = stars
        total, weight = np.zeros(len(items)), np.zeros(len(items))
        for slot in range(self.config.k):  # nearest first, one by one: the same sum everywhere
            total += similarities[:, slot] * given[:, slot]
            weight += similarities[:, slot]
        return np.divide(total, weight, out=np.zeros(len(items)), where=weight > 0), weight

    def _nearest_raters(
        self, ranked: RankedUsers, items: NDArray[np.int64]
    ) -> tuple[
        tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64], NDArray[np.floating]
    ]:
        """The first k ranked raters of each movie, as (movie, slot) places, ranks and stars."""
        n, palette = len(ranked.users), len(self._palette)
        rank_of = np.full(self._index.n_users, n)
        rank_of[ranked.users] = np.arange(n)
        lengths = self._starts[items + 1] - self._starts[items]
        movie = np.repeat(np.arange(len(items)), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        entries = self._starts[items][movie] + within
        ranks = rank_of[self._raters[entries]]
        similar = ranks < n
        # Sorting one integer per rating is several times faster than lexsort on three arrays.
        codes = (movie[similar] * (n + 1) + ranks[similar]) * palette
        codes = np.sort(codes + self._codes[entries[similar]])
        movie = codes // ((n + 1) * palette)
        slot = np.arange(len(movie)) - np.searchsorted(movie, movie)
        nearest = slot < self.config.k
        ranks = codes[nearest] // palette % (n + 1)
        return (movie[nearest], slot[nearest]), ranks, self._palette[codes[nearest] % palette]

    def _arrays(self) -> dict[str, NDArray]:
        return self.bias_.to_arrays()

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_ = BiasTerms.from_arrays(arrays)
        self._build_index()
