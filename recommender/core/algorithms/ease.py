"""EASE (Steck, WWW 2019): which liked items predict that an item is liked, in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import check_fields
from recommender.core.algorithms.bias import Bias
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.ratings import Ratings
from recommender.core.systems import EaseConfig, Progress, RunOptions

COLUMNS = 1024  #: of the Gram matrix, computed at once from sparse profiles
DECIMALS = 6  #: of a score, as a share of the profile's largest: B is not known more precisely


class Ease(Bias):
    """Ranks by the scores ``X B`` of liked items and predicts the damped bias.

    X (n_users, n_items) is 1 where a user liked an item and 0 elsewhere. B minimises
    ``||X - X B||^2 + ridge ||B||^2`` with a diagonal of zeros: with P = (X^T X + ridge I)^-1,
    ``B[i, j] = -P[i, j] / P[j, j]`` for i != j. Scores are no ratings. Those that differ by less
    than a millionth of the profile's largest are tied. Tie breaks: number of ratings of the item,
    then the seeded hash.
    """

    name: ClassVar[str] = "ease"
    ranks_by_rating: ClassVar[bool] = False
    config: EaseConfig
    items_: NDArray[np.int64]  #: the items that anybody liked; other rows and columns of B are 0
    weights_: NDArray[np.float32]  #: B among these items

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check_fields(
            self.config,
            {
                "ridge": (self.config.ridge > 0, "above 0"),
                "liked_from": (0 <= self.config.liked_from <= 1, "from 0 to 1"),
                "most_items": (self.config.most_items >= 1, "at least 1"),
            },
        )
        super()._fit(ratings, options)
        liked = self._liked(self.profiles_)
        self.items_ = np.unique(liked.indices).astype(np.int64)
        if (n := len(self.items_)) > self.config.most_items:
            raise ConfigurationError(
                f"ease needs {12 * n * n / 1e9:.1f} GB for the {n:,} items that somebody liked, "
                f"and most_items={self.config.most_items} allows no more than that many. Raise it "
                "if there is enough memory, or choose another system."
            )
        gram = _gram(liked[:, self.items_], options)
        np.einsum("ii->i", gram)[:] += self.config.ridge
        self.weights_ = _weights(gram)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        scores = np.zeros(profiles.shape)
        scores[:, self.items_] = self._liked(profiles)[:, self.items_] @ self.weights_
        largest = np.maximum(np.abs(scores).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
        return np.round(scores / largest, DECIMALS), self.counts_.astype(np.float64)

    def _liked(self, profiles: csr_array) -> csr_array:
        """Ones (float32) at the liked items of each profile."""
        scale = self.scale_
        least = scale.minimum + self.config.liked_from * (scale.maximum - scale.minimum)
        # Ratings are rounded to float32, so the limit is lowered by less than a step.
        liked = csr_array(
            (profiles.data >= least - scale.step / 100, profiles.indices, profiles.indptr),
            shape=profiles.shape,
            copy=True,
        )
        liked.eliminate_zeros()
        return liked.astype(np.float32)

    def _arrays(self) -> dict[str, NDArray]:
        return {**super()._arrays(), "ease.items": self.items_, "ease.weights": self.weights_}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        super()._restore(arrays)
        self.items_, self.weights_ = arrays["ease.items"], arrays["ease.weights"]


def _gram(liked: csr_array, options: RunOptions) -> NDArray[np.float64]:
    """X^T X (n, n) in the order of Fortran, which LAPACK inverts in place."""
    columns, n = liked.tocsc().astype(np.float64), liked.shape[1]
    gram = np.empty((n, n), order="F")
    for start in range(0, n, COLUMNS):
        options.progress(Progress("training", start, n))
        part = slice(start, start + COLUMNS)
        gram[:, part] = (columns.T @ columns[:, part]).toarray()
    return gram


def _weights(gram: NDArray[np.float64]) -> NDArray[np.float32]:
    """B (n, n) from X^T X + ridge I, which is overwritten; both take 12 n^2 bytes in all."""
    from scipy.linalg import lapack

    n = len(gram)
    if not n:
        return np.empty((0, 0), np.float32)
    factor, failed = lapack.dpotrf(gram, lower=1, overwrite_a=1)
    if not failed:
        inverse, failed = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if failed:
        raise FitError("The matrix of ease cannot be inverted. Choose a larger ridge.")
    for column in range(1, n):  # dpotri sets the lower triangle only
        inverse[:column, column] = inverse[column, :column]
    weights = np.empty((n, n), np.float32)
    np.divide(inverse.T, -np.diag(inverse), out=weights, casting="same_kind")
    np.fill_diagonal(weights, 0)
    return weights
