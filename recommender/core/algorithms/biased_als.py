"""Factors of the residuals of the damped bias, by alternating least squares (ALS-WR)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.factors import FactorModel, fold_in
from recommender.core.configs.factors import BiasedALSConfig
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions


class BiasedALS(FactorModel):
    """The damped bias plus the product of a user's and an item's vector.

    The vectors of users and items are computed in turn, each exactly, to minimise the squared
    errors of the residuals plus ``ridge`` times the number of ratings times the squared length of
    each vector (Zhou et al., AAIM 2008). A profile's vector is computed from those of the items,
    so that training users, unseen users and edited profiles are treated alike. ``train_rmse_`` is
    the error of all training ratings after the last iteration.
    """

    name: ClassVar[str] = "biased-als"
    config: BiasedALSConfig

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        return {
            "factors": (own.factors >= 1, "at least 1"),
            "iterations": (own.iterations >= 1, "at least 1"),
            "ridge": (own.ridge > 0, "above 0"),
            "spread": (own.spread > 0, "above 0"),
            "user_damping": (own.user_damping >= 0, "0 or more"),
            "item_damping": (own.item_damping >= 0, "0 or more"),
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self.bias_ = BiasTerms.learn(self.profiles_, own)
        self.item_offsets_ = self.bias_.item_offsets
        rng = np.random.default_rng(options.seed)
        self.item_factors_ = rng.normal(scale=own.spread, size=(self.n_items_, own.factors))
        rows, items = ratings.rows(), ratings.indices
        left = self._residuals(self.profiles_)
        order = np.argsort(items, kind="stable")  # the ratings by item, then by user
        edges = np.append(0, np.cumsum(self.counts_))
        by_item = csr_array((left[order], rows[order], edges), shape=self.profiles_.shape[::-1])
        for _ in self._passes(options, own.iterations):
            users = fold_in(self.profiles_, left, self.item_factors_, own.ridge, offset=False)[1]
            self.item_factors_ = fold_in(by_item, left[order], users, own.ridge, offset=False)[1]
            products = np.einsum("ij,ij->i", users[rows], self.item_factors_[items])
            self._record(float(np.sum((left - products) ** 2)))

    def _residuals(self, profiles: csr_array) -> NDArray[np.float64]:
        """What the damped bias leaves over of each stored rating (nnz)."""
        rows = np.repeat(np.arange(profiles.shape[0]), np.diff(profiles.indptr))
        return profiles.data - self.bias_.predict(profiles, rows, profiles.indices)

    def _users(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        left, ridge = self._residuals(profiles), self.config.ridge
        vectors = fold_in(profiles, left, self.item_factors_, ridge, offset=False)[1]
        return self.bias_.user_offsets(profiles), vectors
