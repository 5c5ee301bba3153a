"""Implicit ALS (Hu, Koren and Volinsky, ICDM 2008): factors of binary data, all cells weighted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.liked_items import LikedItemRanker
from recommender.core.configs.liked_items import ImplicitALSConfig
from recommender.core.runs import RunOptions


class ImplicitALS(LikedItemRanker):
    """Ranks by the product of a user's and an item's vector.

    The vectors U and V minimise the sum over all users u and items i of
    ``(1 + alpha X[u, i]) (X[u, i] - U[u] V[i])^2``, plus ``ridge (||U||^2 + ||V||^2)``. U and V are
    computed in turn, each exactly. A profile's vector is computed from V, so that training users,
    unseen users and edited profiles are treated alike.
    """

    name: ClassVar[str] = "implicit-als"
    config: ImplicitALSConfig
    factors_: NDArray[np.float64]  #: V (n_items, factors)

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        return {
            **super()._limits(),
            "factors": (own.factors >= 1, "at least 1"),
            "iterations": (own.iterations >= 1, "at least 1"),
            "ridge": (own.ridge > 0, "above 0"),
            "alpha": (own.alpha >= 0, "0 or more"),
        }

    def _learn(self, liked: csr_array, options: RunOptions) -> None:
        rng = np.random.default_rng(options.seed)
        self.factors_ = rng.normal(scale=0.01, size=(self.n_items_, self.config.factors))
        by_item = liked.T.tocsr()
        for _ in self._passes(options, self.config.iterations):
            self.factors_ = self._solve(by_item, self._solve(liked, self.factors_))

    def _preferences(self, liked: csr_array) -> NDArray[np.floating]:
        vectors = self._solve(liked, self.factors_)
        # One product for each profile, so that it does not depend on the others.
        return np.stack([self.factors_ @ vector for vector in vectors])

    def _solve(self, liked: csr_array, others: NDArray[np.float64]) -> NDArray[np.float64]:
        """The best vectors (n, factors) of the rows of a matrix (n, m), given those of columns."""
        alpha = self.config.alpha
        everywhere = others.T @ others + self.config.ridge * np.eye(others.shape[1])
        found = np.zeros((liked.shape[0], others.shape[1]))
        for row in np.flatnonzero(np.diff(liked.indptr)):
            chosen = others[liked.indices[liked.indptr[row] : liked.indptr[row + 1]]]
            normal = everywhere + alpha * (chosen.T @ chosen)
            found[row] = np.linalg.solve(normal, (1 + alpha) * chosen.sum(axis=0))
        return found

    def _arrays(self) -> dict[str, NDArray]:
        return {**super()._arrays(), "als.factors": self.factors_}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        super()._restore(arrays)
        self.factors_ = arrays["als.factors"]
