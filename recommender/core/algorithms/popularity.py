"""Popularity: the most rated items first. The ranking that every personal one must beat."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import Bias
from recommender.core.configs.simple import PopularityConfig


class Popularity(Bias):
    """Ranks by number of training ratings and predicts the damped bias.

    Tie breaks: the damped mean of the item's ratings, then the seeded hash.
    """

    name: ClassVar[str] = "popularity"
    ranks_by_rating: ClassVar[bool] = False
    config: PopularityConfig

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        return self.counts_.astype(np.float64), self.terms_.item_offsets
