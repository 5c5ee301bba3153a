"""User-user KNN (paper, sections II and IV.B): ratings by the most similar users are averaged."""

from __future__ import annotations

from typing import ClassVar

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.knn import KNN
from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.predictions import build_predictor
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions
from recommender.core.systems import override


class UserKNN(KNN):
    """Predicts the similarity-weighted mean of the stars that a profile's neighbours gave an item.

    By default the neighbours are the k users most similar to the profile among those who rated the
    item. They are ordered by similarity, which must be above zero, then overlap, then user
    position; a training user is never their own neighbour.
    """

    name: ClassVar[str] = "user-knn"
    block_cells: ClassVar[int] = (
        12_000_000  # 266 profiles at the paper's scale, enough for four threads
    )
    config: UserKNNConfig

    def check(self) -> None:
        super().check()
        own = self.config
        free = override(own, k=5, combine="mean", fallback="bias", search="blocks")
        if own.search != "blocks" and free != UserKNNConfig(neighbours="overall"):
            raise ConfigurationError(
                f"user-knn cannot use search={own.search!r} here. A tree finds the k nearest users "
                "overall by uncentred and unshrunk full-vector cosine: set neighbours='overall'."
            )

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self._compare(options.threads)

    def _compare(self, threads: int | None = None) -> None:
        self._predictor = build_predictor(self.profiles_, self.scale_, self.config, threads)
        self.pairs_at_once = self._predictor.pairs_at_once
