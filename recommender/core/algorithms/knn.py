"""What user-user and item-item KNN share: fallback, rounding and tie breaks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.neighbours import KNNConfig
from recommender.core.neighbours.predictions import Predictor

DECIMALS = 9  # so that the mean of equal stars is exact and tied items are truly tied


class KNN(Recommender):
    """Similarity-weighted means of stars, rounded to nine decimals.

    Without a neighbour the fallback is predicted. Ties between items are broken by the sum of the
    similarities, then the item's number of ratings, then the seeded hash.
    """

    config: KNNConfig
    bias_: BiasTerms
    _predictor: Predictor

    def _limits(self) -> dict[str, tuple[bool, str]]:
        least = {"k": 1, "minimum_overlap": 1, "shrinkage": 0}
        return {f: (getattr(self.config, f) >= n, f"at least {n}") for f, n in least.items()}

    @abstractmethod
    def _compare(self) -> None:
        """Set ``_predictor`` from what was learned."""

    @property
    def _fallback(self) -> BiasTerms:
        """For the plain mean, the bias with endless damping: every offset is zero."""
        if self.config.fallback == "bias":
            return self.bias_
        return BiasTerms(self.bias_.mean, np.zeros(self.n_items_), np.inf)

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        return self._predict_covered(profiles, rows, items, training, times)[0]

    def _predict_covered(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        training: bool,
        times: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A pair is covered if there is a neighbour."""
        # Only the profiles asked for, because the others may hold millions of ratings.
        asked, rows = np.unique(rows, return_inverse=True)
        profiles = profiles[asked]
        stars, weight = self._predictor.pairs(profiles, asked if training else None, rows, items)
        fallback = self._fallback.predict(profiles, rows, items)
        return _rounded(np.where(weight > 0, stars, fallback)), weight > 0

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


def _rounded(stars: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(stars, DECIMALS), np.float64)
