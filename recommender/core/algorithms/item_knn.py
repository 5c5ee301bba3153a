"""Item-item KNN (paper, section II): the user's ratings of the most similar items are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.knn import KNN
from recommender.core.configs.neighbours import ItemKNNConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.neighbours.similar_items import ItemPredictor, find_neighbours
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions


class ItemKNN(KNN):
    """Predicts the similarity-weighted mean of the stars that a profile gave an item's neighbours.

    By default the neighbours are the k items most similar to the item among those in the profile.
    They are ordered by similarity, which must be above zero, then overlap, then item position; an
    item is never its own neighbour. They are learned by ``fit``.
    """

    name: ClassVar[str] = "item-knn"
    config: ItemKNNConfig
    neighbours_: csr_array  #: see ``find_neighbours``

    def _limits(self) -> dict[str, tuple[bool, str]]:
        return {**super()._limits(), "stored": (self.config.stored >= 0, "at least 0")}

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self.neighbours_ = find_neighbours(
            self.profiles_, self.scale_, self.config, options.progress
        )
        self._compare()

    def _compare(self) -> None:
        self._predictor = ItemPredictor(self.profiles_, self.neighbours_, self.config)
        self.pairs_at_once = self._predictor.pairs_at_once

    def _arrays(self) -> dict[str, NDArray]:
        return {
            **super()._arrays(),
            "neighbours.indptr": np.asarray(self.neighbours_.indptr, np.int64),
            "neighbours.items": np.asarray(self.neighbours_.indices, np.int32),
            "neighbours.similarities": self.neighbours_.data,
        }

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        names = ("similarities", "items", "indptr")
        parts = tuple(arrays[f"neighbours.{name}"] for name in names)
        self.neighbours_ = csr_array(parts, shape=(self.n_items_, self.n_items_))
        super()._restore(arrays)
