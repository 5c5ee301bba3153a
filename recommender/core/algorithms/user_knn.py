"""User-user KNN (paper, sections II and IV.B): ratings by the most similar users are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender, check_fields
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.predictions import build_predictor
from recommender.core.ratings import Ratings
from recommender.core.systems import BiasConfig, RunOptions, UserKNNConfig, override

DECIMALS = 9  # so that the mean of equal stars is exact and tied items are truly tied


class UserKNN(Recommender):
    """Predicts the similarity-weighted mean of the stars that a profile's neighbours gave an item.

    By default the neighbours are the k users most similar to the profile among those who rated the
    item. They are ordered by similarity, which must be above zero, then overlap, then user
    position; a training user is never their own neighbour. The mean is rounded to nine decimals.
    Without a neighbour the fallback is predicted. Ties between items are broken by the sum of the
    similarities, then the item's number of ratings, then the seeded hash.
    """

    name: ClassVar[str] = "user-knn"
    block_cells: ClassVar[int] = (
        12_000_000  # 266 profiles at the paper's scale, enough for four threads
    )
    config: UserKNNConfig
    bias_: BiasTerms

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check_knn_config(self.config)
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self._compare(options.threads)

    @property
    def _fallback(self) -> BiasTerms:
        """For the plain mean, the bias with endless damping: every offset is zero."""
        if self.config.fallback == "bias":
            return self.bias_
        return BiasTerms(self.bias_.mean, np.zeros(self.n_items_), np.inf)

    def _compare(self, threads: int | None = None) -> None:
        self._predictor = build_predictor(self.profiles_, self.scale_, self.config, threads)
        self.pairs_at_once = self._predictor.pairs_at_once

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
    ) -> NDArray[np.float64]:
        # Only the profiles asked for, because the others may hold millions of ratings.
        asked, rows = np.unique(rows, return_inverse=True)
        profiles = profiles[asked]
        stars, weight = self._predictor.pairs(profiles, asked if training else None, rows, items)
        return _rounded(np.where(weight > 0, stars, self._fallback.predict(profiles, rows, items)))

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        stars, weight = self._predictor.grid(profiles, users)
        scores = _rounded(np.where(weight > 0, stars, self._fallback.grid(profiles)))
        return scores, weight, self.counts_.astype(np.float64)

    def _arrays(self) -> dict[str, NDArray]:
        return self.bias_.to_arrays()

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_ = BiasTerms.from_arrays(arrays)
        self._compare()


def check_knn_config(config: UserKNNConfig) -> None:
    """Raise ConfigurationError for unknown choices, numbers out of range, or a useless tree."""
    numbers = {"k": 1, "minimum_overlap": 1, "shrinkage": 0}
    limits = {f: (getattr(config, f) >= least, f"at least {least}") for f, least in numbers.items()}
    check_fields(config, limits)
    free = override(config, k=5, combine="mean", fallback="bias", search="blocks")
    if config.search != "blocks" and free != UserKNNConfig(neighbours="overall"):
        raise ConfigurationError(
            f"user-knn cannot use search={config.search!r} here. A tree finds the k nearest users "
            "overall by uncentred and unshrunk full-vector cosine: set neighbours='overall'."
        )


def _rounded(stars: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(stars, DECIMALS), np.float64)
