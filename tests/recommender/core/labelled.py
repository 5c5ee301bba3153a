"""The contract of systems that need labels of items: any ratings are given labels.

class TestCMF(LabelledContract):
    system = "cmf"
"""

from dataclasses import replace

import numpy as np
import pytest

from recommender.core.algorithms.base import Recommender
from recommender.core.errors import ConfigurationError
from recommender.core.labels import ItemLabels
from recommender.core.ratings import Ratings
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import random_ratings


def item_labels(*rows: str) -> ItemLabels:
    """The labels of each item in turn, separated by blanks; a repeated one is stated twice."""
    pairs = [(item, label) for item, row in enumerate(rows) for label in row.split()]
    names = sorted({label for _, label in pairs})
    return ItemLabels(
        names=np.array(names),
        items=np.array([item for item, _ in pairs], np.int32),
        labels=np.array([names.index(label) for _, label in pairs], np.int32),
        weights=np.ones(len(pairs), np.float32),
    )


class LabelledContract(SystemContract):
    #: the labels of even and of odd items, which are the two tastes of a checkerboard
    even, odd = "comedy", "war"
    kinds: tuple[str, ...] = ("genres",)

    @classmethod
    def labelled(cls, ratings: Ratings) -> Ratings:
        rows = [cls.odd if item % 2 else cls.even for item in range(ratings.n_items)]
        return replace(ratings, labels={kind: item_labels(*rows) for kind in cls.kinds})

    @classmethod
    def fitted(cls, ratings: Ratings, seed: int = 0) -> Recommender:
        return super().fitted(cls.labelled(ratings), seed)

    @pytest.fixture(scope="class")
    @classmethod
    def any_ratings(cls) -> Ratings:
        return cls.labelled(random_ratings(seed=1, n_users=30, n_items=25, share=0.3))

    def test_ratings_without_the_labels_are_refused(self):
        with pytest.raises(ConfigurationError, match=f"needs {self.kinds[0]}"):
            self.model().fit(random_ratings(1))
