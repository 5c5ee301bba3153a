"""EASE (Steck, WWW 2019): which liked items predict that an item is liked, in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.liked_items import LikedItemRanker
from recommender.core.configs.liked_items import EaseConfig
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.runs import Progress, RunOptions

COLUMNS = 1024  #: of the Gram matrix, computed at once from sparse profiles


class Ease(LikedItemRanker):
    """Ranks by the scores ``X B`` of liked items X.

    B minimises ``||X - X B||^2 + ridge ||B||^2`` with a diagonal of zeros: with
    P = (X^T X + ridge I)^-1, ``B[i, j] = -P[i, j] / P[j, j]`` for i != j.
    """

    name: ClassVar[str] = "ease"
    config: EaseConfig
    items_: NDArray[np.int64]  #: the items that anybody liked; other rows and columns of B are 0
    weights_: NDArray[np.float32]  #: B among these items

    def _limits(self) -> dict[str, tuple[bool, str]]:
        return {
            **super()._limits(),
            "ridge": (self.config.ridge > 0, "above 0"),
            "most_items": (self.config.most_items >= 1, "at least 1"),
        }

    def _learn(self, liked: csr_array, options: RunOptions) -> None:
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

    def _preferences(self, liked: csr_array) -> NDArray[np.floating]:
        scores = np.zeros(liked.shape, np.float32)
        scores[:, self.items_] = liked[:, self.items_] @ self.weights_
        return scores

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
