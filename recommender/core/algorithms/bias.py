"""Damped bias: mean + item offset + user offset. The baseline, and the other systems' fallback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.configs.simple import BiasConfig
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions


@dataclass(frozen=True, eq=False)
class BiasTerms:
    """Sequential damped means, as in LensKit's BiasModel.

    Item offsets are ``b_i = sum_u (r_ui - mean) / (n_i + item_damping)``, then user offsets are
    ``b_u = sum_i (r_ui - mean - b_i) / (n_u + user_damping)``; both are 0 without ratings. User
    offsets are not stored: they are computed from the profile.
    """

    mean: float
    item_offsets: NDArray[np.float64]
    user_damping: float

    @classmethod
    def learn(cls, matrix: csr_array, config: BiasConfig) -> BiasTerms:
        """From a matrix (n_users, n_items) with at least one rating."""
        mean = float(np.mean(matrix.data, dtype=np.float64))
        n_items = matrix.shape[1]
        above = matrix.data.astype(np.float64) - mean
        sums = np.bincount(matrix.indices, above, minlength=n_items)
        counts = np.bincount(matrix.indices, minlength=n_items)
        return cls(mean, _damped(sums, counts, config.item_damping), config.user_damping)

    def item_means(self) -> NDArray[np.float64]:
        """mean + b_i (n_items): the prediction for a user without ratings."""
        return self.mean + self.item_offsets

    def user_offsets(self, profiles: csr_array) -> NDArray[np.float64]:
        """The offsets b_u (m) of m profiles (m, n_items)."""
        counts = np.diff(profiles.indptr)
        rows = np.repeat(np.arange(profiles.shape[0]), counts)
        residuals = profiles.data - self.item_means()[profiles.indices]
        # bincount adds in order, so that a profile's sum does not depend on the other profiles.
        sums = np.bincount(rows, residuals, minlength=profiles.shape[0])
        return _damped(sums, counts, self.user_damping)

    def predict(
        self, profiles: csr_array, rows: NDArray[np.int64], items: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """mean + b_i + b_u (n) of the pairs ``(rows[i], items[i])``, not clipped to the scale."""
        return self.item_means()[items] + self.user_offsets(profiles)[rows]

    def grid(self, profiles: csr_array) -> NDArray[np.float64]:
        """The same for every profile and item (m, n_items)."""
        return self.item_means() + self.user_offsets(profiles)[:, None]

    def to_arrays(self) -> dict[str, NDArray]:
        return {
            "bias.mean": np.asarray([self.mean]),
            "bias.item_offsets": self.item_offsets,
            "bias.user_damping": np.asarray([self.user_damping], np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> BiasTerms:
        return cls(
            float(arrays["bias.mean"][0]),
            arrays["bias.item_offsets"],
            float(arrays["bias.user_damping"][0]),
        )


class Bias(Recommender):
    """The damped bias. Tie breaks: number of ratings of the item, then the seeded hash."""

    name: ClassVar[str] = "bias"
    config: BiasConfig
    terms_: BiasTerms

    def _limits(self) -> dict[str, tuple[bool, str]]:
        damping = ("item_damping", "user_damping")
        return {field: (getattr(self.config, field) >= 0, "0 or more") for field in damping}

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        self.terms_ = BiasTerms.learn(self.profiles_, self.config)
        rows, items = ratings.rows(), ratings.indices.astype(np.int64)
        # Each training rating is predicted from the user's other ratings; item offsets stay.
        counts, means = np.diff(self.profiles_.indptr), self.terms_.item_means()[items]
        residuals = ratings.values - means
        sums = np.bincount(rows, residuals, minlength=len(counts))
        others = _damped(sums[rows] - residuals, counts[rows] - 1, self.config.user_damping)
        self.train_rmse_ = rmse(ratings.values, self.scale_.clip(means + others))

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        return self.terms_.predict(profiles, rows, items)

    def _predict_covered(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        training: bool,
        times: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The damped bias is the fallback of the other systems and never needs one itself."""
        predicted = self._predict(profiles, rows, items, training=training, times=times)
        return predicted, np.ones(len(items), bool)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        return self.terms_.grid(profiles), self.counts_.astype(np.float64)

    def _arrays(self) -> dict[str, NDArray]:
        return self.terms_.to_arrays()

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.terms_ = BiasTerms.from_arrays(arrays)


def _damped(sums: NDArray, counts: NDArray, damping: float) -> NDArray[np.float64]:
    """sums / (counts + damping), 0 where that denominator is 0."""
    weights = counts + damping
    return np.divide(sums, weights, out=np.zeros(len(sums)), where=weights > 0)
