"""Random order: a reference that knows nothing about items or users."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import seeded_hash
from recommender.core.algorithms.bias import Bias
from recommender.core.configs.simple import RandomConfig


class RandomOrder(Bias):
    """Ranks at random, by the seed and the items of the profile, and predicts the damped bias.

    All candidates are tied; the draws are the tie break. The stars of a profile do not matter.
    """

    name: ClassVar[str] = "random"
    ranks_by_rating: ClassVar[bool] = False
    config: RandomConfig

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        hashes = seeded_hash(self.n_items_, self.seed_)
        draws = np.empty(profiles.shape)
        for row in range(len(draws)):
            rated = profiles.indices[profiles.indptr[row] : profiles.indptr[row + 1]]
            # A sum does not depend on the order of the items; it wraps around at 2^64.
            own_seed = int(hashes[rated].sum(dtype=np.uint64))
            # The 53 high bits, which float64 holds exactly.
            draws[row] = seeded_hash(self.n_items_, own_seed) >> np.uint64(11)
        return np.zeros(self.n_items_), draws
