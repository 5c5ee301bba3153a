"""User-user neighbours (paper, sections II and IV.B): what the most similar users gave a movie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours import Means, neighbour_means
from recommender.core.ratings import Ratings
from recommender.core.systems import BiasConfig, RunOptions, UserKNNConfig, override

DECIMALS = 9  # a mean of equal stars is those stars exactly, so that tied movies are truly tied

CHOICES = {
    "similarity": ("cosine", "dot", "correlation"),
    "over": ("full", "common"),
    "neighbours": ("raters", "overall", "all"),
    "combine": ("mean", "mean-with-zeros", "sum"),
    "centre": ("nothing", "stars", "everything"),
    "fallback": ("bias", "mean"),
    "search": ("blocks", "kd-tree", "ball-tree"),
}


class UserKNN(Recommender):
    """The similarity-weighted mean of what the neighbours of a profile gave a movie.

    By default the neighbours are the k users most similar to the profile among those who rated
    the movie (similarity, then overlap, then user position; similarity must be above zero; a
    training user is never the own neighbour). The mean is rounded to nine decimals. Where no
    neighbour is left the fallback stands in. Ties between movies: the sum of the similarities,
    then the movie's number of ratings, then the seeded hash.
    """

    name: ClassVar[str] = "user-knn"
    block_cells: ClassVar[int] = 12_000_000  # 266 of the paper's profiles: work for four threads
    config: UserKNNConfig
    bias_: BiasTerms
    _means: Means

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check(self.config)
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self._compare(options.threads)

    def _compare(self, threads: int | None = None) -> None:
        self._means = neighbour_means(self.profiles_, self.scale_, self.config, threads)
        self.pairs_at_once = self._means.pairs_at_once

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
    ) -> NDArray[np.float64]:
        # of the profiles that are asked for alone: there may be millions of ratings in the others
        asked, rows = np.unique(rows, return_inverse=True)
        profiles = profiles[asked]
        stars, weight = self._means.pairs(profiles, asked if training else None, rows, items)
        if self.config.fallback == "mean":
            fallback = np.full(len(rows), self.bias_.mean)
        else:
            fallback = self.bias_.predict(profiles, rows, items)
        return _rounded(np.where(weight > 0, stars, fallback))

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        stars, weight = self._means.grid(profiles, users)
        if self.config.fallback == "mean":
            fallback = np.full(profiles.shape, self.bias_.mean)
        else:
            fallback = self.bias_.grid(profiles)
        scores = _rounded(np.where(weight > 0, stars, fallback))
        return scores, weight, self.counts_.astype(np.float64)

    def _arrays(self) -> dict[str, NDArray]:
        return self.bias_.to_arrays()

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_ = BiasTerms.from_arrays(arrays)
        self._compare()


def check(config: UserKNNConfig) -> None:
    """Raise ConfigurationError unless every choice is one there is and the numbers make sense."""
    for field, choices in CHOICES.items():
        if (value := getattr(config, field)) not in choices:
            raise ConfigurationError(
                f"user-knn cannot use {field}={value!r}. Choose from: {', '.join(choices)}."
            )
    if config.k < 1 or config.shrinkage < 0 or config.minimum_overlap < 1:
        raise ConfigurationError(
            f"user-knn cannot use k={config.k}, shrinkage={config.shrinkage:g} and "
            f"minimum_overlap={config.minimum_overlap}. Neighbours and overlap are at least 1, "
            "the shrinkage at least 0."
        )
    free = override(config, k=5, combine="mean", fallback="bias", search="blocks")
    if config.search != "blocks" and free != UserKNNConfig(neighbours="overall"):
        raise ConfigurationError(
            f"user-knn cannot use search={config.search!r} here. A tree finds the k nearest users "
            "overall by full-vector cosine, uncentred and unshrunk: set neighbours='overall'."
        )


def _rounded(stars: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(stars, DECIMALS), np.float64)
