"""What systems with biases and factors share: passes, fold-in of profiles, and the fallback."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import FitError


class FactorModel(Recommender):
    """Predicts mean + item offset + user offset + the product of the user's and item's vectors.

    An empty profile and an item without training ratings get the damped bias. Tie breaks: number
    of ratings of the item, then the seeded hash.
    """

    bias_: BiasTerms  #: the fallback; its mean is that of the predictions, too
    item_offsets_: NDArray[np.float64]  #: (n_items)
    item_factors_: NDArray[np.floating]  #: (n_items, factors)

    @abstractmethod
    def _users(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Offsets (m) and vectors (m, factors) of m profiles.

        ``users`` (m) are the positions of training users, None for other profiles.
        """

    def _learn_bias(self) -> None:
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())

    def _record(self, squared_errors: float) -> None:
        """Add a pass over all training ratings to the loss curve; ``train_rmse_`` is the last.

        FitError if the errors are no longer finite.
        """
        if not np.isfinite(squared_errors):
            raise FitError(
                f"The training of {self.name} diverged: its errors grew without limit. Choose a "
                "smaller learning_rate, or a smaller spread."
            )
        n_ratings = self.profiles_.nnz
        self.train_rmse_ = float(np.sqrt(squared_errors / n_ratings))
        self.loss_curve_.append((n_ratings * (len(self.loss_curve_) + 1), self.train_rmse_))

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        asked, places = np.unique(rows, return_inverse=True)
        chosen = profiles[asked]
        offsets, vectors = self._users(chosen, asked if training else None)
        known = (np.diff(chosen.indptr)[places] > 0) & (self.counts_[items] > 0)
        products = np.einsum("ij,ij->i", vectors[places], self.item_factors_[items])
        learned = self.bias_.mean + self.item_offsets_[items] + offsets[places] + products
        return np.where(known, learned, self.bias_.predict(chosen, places, items))

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        offsets, vectors = self._users(profiles, users)
        # One product for each profile, so that it does not depend on the others.
        products = [self.item_factors_ @ vector for vector in vectors]
        learned = self.bias_.mean + self.item_offsets_ + offsets[:, None] + np.stack(products)
        known = (np.diff(profiles.indptr) > 0)[:, None] & (self.counts_ > 0)
        scores = np.where(known, learned, self.bias_.grid(profiles))
        return scores, self.counts_.astype(np.float64)

    def _arrays(self) -> dict[str, NDArray]:
        learned = {
            f"factors.{name}": getattr(self, f"{name}_")
            for name in (*self._learned(), "item_offsets", "item_factors")
        }
        return {**self.bias_.to_arrays(), **learned}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_ = BiasTerms.from_arrays(arrays)
        for name in (*self._learned(), "item_offsets", "item_factors"):
            setattr(self, f"{name}_", arrays[f"factors.{name}"])

    def _learned(self) -> tuple[str, ...]:
        """The names, without the final "_", of the further arrays that the system learns."""
        return ()


def fold_in(
    profiles: csr_array,
    residuals: NDArray[np.float64],
    factors: NDArray[np.floating],
    ridge: float,
    *,
    offset: bool = True,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets (m) and vectors (m, f) of m profiles, by ridge regression on vectors of items.

    ``residuals`` (nnz) are what offset and vector have to explain of each stored rating;
    ``factors`` (n_items, f). ``ridge`` times the number of the profile's ratings is the penalty
    of all squares. An empty profile gets zeros, and without ``offset`` all offsets are zero.
    """
    design = np.column_stack([np.ones(len(factors)), factors]) if offset else factors
    found = np.zeros((profiles.shape[0], design.shape[1]))
    for row in np.flatnonzero(np.diff(profiles.indptr)):
        part = slice(profiles.indptr[row], profiles.indptr[row + 1])
        rated = design[profiles.indices[part]]
        normal = rated.T @ rated + ridge * len(rated) * np.eye(design.shape[1])
        found[row] = np.linalg.solve(normal, rated.T @ residuals[part])
    return (found[:, 0], found[:, 1:]) if offset else (np.zeros(len(found)), found)
