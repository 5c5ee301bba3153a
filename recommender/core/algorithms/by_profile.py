"""What systems share that predict from one profile at a time and fall back on the damped bias."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms


class ProfileRatings(NamedTuple):
    """The ``items`` (n) and ``stars`` (n, float64), and the ``offset`` of the damped bias."""

    items: NDArray[np.int32]
    stars: NDArray[np.float64]
    offset: float


class ByProfile(Recommender):
    """Predicts from each profile alone, so that a result does not depend on the other profiles.

    Training users, unseen users and edited profiles are treated alike. ``_fit`` sets ``bias_``. An
    empty profile gets the damped bias. Tie breaks: number of ratings of the item, then the seeded
    hash.
    """

    bias_: BiasTerms

    @abstractmethod
    def _rate(self, profile: ProfileRatings, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predictions for the items ``wanted`` (n), from a profile of at least one rating."""

    def _rate_without_profile(self, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predictions for the items ``wanted`` (n) from an empty profile."""
        return self.bias_.item_means()[wanted]

    def _own_items(self) -> NDArray[np.bool_]:
        """The items (n_items) that the system predicts itself from a profile with ratings."""
        return np.asarray(self.counts_ > 0)

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        found, order = np.empty(len(rows)), np.argsort(rows, kind="stable")
        asked, first = np.unique(rows[order], return_index=True)
        own = profiles[asked]
        offsets = self.bias_.user_offsets(own)
        for row, chosen in enumerate(np.split(order, first[1:]) if len(asked) else []):
            found[chosen] = self._of_row(own, row, offsets[row], items[chosen])
        return found

    def _predict_covered(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        training: bool,
        times: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        covered = (np.diff(profiles.indptr)[rows] > 0) & self._own_items()[items]
        return self._predict(profiles, rows, items, training=training, times=times), covered

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        found, everything = np.empty(profiles.shape), np.arange(self.n_items_)
        for row, offset in enumerate(self.bias_.user_offsets(profiles)):
            found[row] = self._of_row(profiles, row, offset, everything)
        return found, self.counts_.astype(np.float64)

    def _of_row(
        self, profiles: csr_array, row: int, offset: float, wanted: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        own = slice(profiles.indptr[row], profiles.indptr[row + 1])
        items, stars = profiles.indices[own], profiles.data[own].astype(np.float64)
        if not len(items):
            return self._rate_without_profile(wanted)
        return self._rate(ProfileRatings(items, stars, offset), wanted)

    def _arrays(self) -> dict[str, NDArray]:
        return self.bias_.to_arrays()

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.bias_ = BiasTerms.from_arrays(arrays)
