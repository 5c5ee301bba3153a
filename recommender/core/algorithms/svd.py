"""Biased matrix factorisation by stochastic gradient descent (Funk; Koren, KDD 2008)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.factors import FactorModel, fold_in
from recommender.core.compiling import kernel
from recommender.core.configs.factors import SVDConfig
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions


@kernel
def descend(  # type: ignore[no-untyped-def]
    indptr, items, above, rate, ridge, user_offsets, item_offsets, P, Q, Y
):
    """One pass over the ratings, user by user, which changes the last five arrays in place.

    ``above`` are the ratings minus their mean. Returns the sum of squared errors, each of them
    before its step. Y (n_items, factors) is empty if the profile says nothing by itself. A step
    changes the vectors Y of all items of the user alike: each is multiplied by one number, and one
    vector is added. Therefore they are changed once, after the user's last rating.
    """
    squares = 0.0
    factors = P.shape[1]
    shrink = 1.0 - rate * ridge
    implicit = len(Y) > 0
    given, added = np.zeros(factors), np.zeros(factors)
    for user in range(len(indptr) - 1):
        start, stop = indptr[user], indptr[user + 1]
        root = np.sqrt(max(1, stop - start))
        kept = 1.0
        given[:] = 0.0
        added[:] = 0.0
        if implicit:
            for place in range(start, stop):
                given += Y[items[place]]
            given /= root
        for place in range(start, stop):
            item = items[place]
            error = above[place] - user_offsets[user] - item_offsets[item]
            for k in range(factors):
                error -= Q[item, k] * (P[user, k] + given[k])
            squares += error * error
            user_offsets[user] += rate * (error - ridge * user_offsets[user])
            item_offsets[item] += rate * (error - ridge * item_offsets[item])
            for k in range(factors):
                p, q = P[user, k], Q[item, k]
                P[user, k] += rate * (error * q - ridge * p)
                Q[item, k] += rate * (error * (p + given[k]) - ridge * q)
                if implicit:
                    step = rate * error * q / root
                    given[k] = shrink * given[k] + root * step
                    added[k] = shrink * added[k] + step
            kept *= shrink
        if implicit:
            for place in range(start, stop):
                Y[items[place]] = kept * Y[items[place]] + added
    return squares


class SVD(FactorModel):
    """Offsets and vectors of users and items, learned rating by rating.

    ``train_rmse_`` is the running error of the last pass: each rating is predicted just before its
    step. A profile that was not trained on gets the offset and the vector that minimise the same
    loss over the profile, the items being fixed.
    """

    name: ClassVar[str] = "svd"
    implicit: ClassVar[bool] = False  #: whether the set of rated items has vectors of its own
    config: SVDConfig
    user_offsets_: NDArray[np.float64]  #: (n_users)
    user_factors_: NDArray[np.float64]  #: (n_users, factors)
    implicit_factors_: NDArray[np.float64]  #: (n_items, factors), or (0, factors)

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self._learn_bias()
        self._start(np.random.default_rng(options.seed))
        descend = self._descent(ratings)
        for done in self._passes(options, own.epochs):
            self._record(descend(own.learning_rate * own.decay**done))

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        return {
            "factors": (own.factors >= 1, "at least 1"),
            "epochs": (own.epochs >= 1, "at least 1"),
            "learning_rate": (0 < own.learning_rate < 1, "above 0 and below 1"),
            "decay": (0 < own.decay <= 1, "above 0, at most 1"),
            "ridge": (own.ridge > 0, "above 0"),
            "spread": (own.spread > 0, "above 0"),
        }

    def _descent(self, ratings: Ratings) -> Callable[[float], float]:
        """The function of a learning rate that makes a pass and returns its squared errors."""
        indptr, items = ratings.indptr.copy(), ratings.indices.copy()
        above, ridge = ratings.values - self.bias_.mean, self.config.ridge
        offsets = (self.user_offsets_, self.item_offsets_)
        vectors = (self.user_factors_, self.item_factors_, self.implicit_factors_)
        return lambda rate: descend(indptr, items, above, rate, ridge, *offsets, *vectors)

    def _start(self, rng: np.random.Generator) -> None:
        n_users, size = self.profiles_.shape[0], self.config.factors
        self.user_offsets_, self.item_offsets_ = np.zeros(n_users), np.zeros(self.n_items_)
        self.user_factors_, self.item_factors_, implicit = (
            rng.normal(scale=self.config.spread, size=(length, size))
            for length in (n_users, self.n_items_, self.n_items_)
        )
        self.implicit_factors_ = implicit if self.implicit else implicit[:0]

    def _users(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        given = self._given(profiles)
        if users is not None:
            return self.user_offsets_[users], self.user_factors_[users] + given
        rows = np.repeat(np.arange(profiles.shape[0]), np.diff(profiles.indptr))
        rated = profiles.indices
        residuals = profiles.data - self.bias_.mean - self.item_offsets_[rated]
        residuals -= np.einsum("ij,ij->i", given[rows], self.item_factors_[rated])
        offsets, vectors = fold_in(profiles, residuals, self.item_factors_, self.config.ridge)
        return offsets, vectors + given

    def _given(self, profiles: csr_array) -> NDArray[np.float64]:
        """The part of each profile's vector that follows from which items it contains."""
        if not self.implicit:
            return np.zeros((profiles.shape[0], self.config.factors))
        return implicit_parts(profiles, self.implicit_factors_)

    def _learned(self) -> tuple[str, ...]:
        return "user_offsets", "user_factors", "implicit_factors"


def implicit_parts(profiles: csr_array, factors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of the vectors of each profile's items over the root of their number (m, f)."""
    counts = np.diff(profiles.indptr)
    weights = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    parts = (weights, profiles.indices, profiles.indptr)
    return np.asarray(csr_array(parts, shape=profiles.shape) @ factors)
