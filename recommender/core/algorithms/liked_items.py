"""What rankers of liked items share: which ratings are likes, and how close scores are tied."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import Bias
from recommender.core.configs.liked_items import LikedItemsConfig
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions

DECIMALS = 6  #: of a score, as a share of the profile's largest: models are not more precise


class LikedItemRanker(Bias):
    """Ranks by scores learned from binary data and predicts the damped bias.

    The data X (n_users, n_items) are 1 where a user liked an item and 0 elsewhere. Scores are no
    ratings. Those that differ by less than a millionth of the profile's largest are tied. Tie
    breaks: number of ratings of the item, then the seeded hash.
    """

    ranks_by_rating: ClassVar[bool] = False
    config: LikedItemsConfig

    def _limits(self) -> dict[str, tuple[bool, str]]:
        liked_from = (0 <= self.config.liked_from <= 1, "from 0 to 1")
        return {**super()._limits(), "liked_from": liked_from}

    @abstractmethod
    def _learn(self, liked: csr_array, options: RunOptions) -> None:
        """Learn from X (float32)."""

    @abstractmethod
    def _preferences(self, liked: csr_array) -> NDArray[np.floating]:
        """The scores (b, n_items) of b profiles (b, n_items); zeros without a liked item."""

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        super()._fit(ratings, options)
        self._learn(self._liked(self.profiles_), options)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        scores = self._preferences(self._liked(profiles)).astype(np.float64)
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
