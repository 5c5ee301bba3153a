"""The contract of every system, and how one is found by its registry name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.ratings import Ratings
from recommender.core.systems import RunOptions, system


@dataclass(frozen=True)
class Ranking:
    """The best movies for each of n profiles.

    ``items`` (n, k) int32, best first, -1 where fewer than k movies can be recommended; ``scores``
    (n, k) float64, NaN there; ``tied`` (n,) int64: among how many movies the top score was shared
    (1: none tied, 0: nothing to recommend).
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    tied: NDArray[np.int64]


class Recommender(ABC):
    """One system. The constructor stores the configuration; ``fit`` learns the rest.

    ``profiles`` is a CSR matrix (m profiles x n_items, stars) over the model's movies, None for
    the training profiles; ``rows`` are positions in it. A movie without training rating is
    predicted by the documented fallback and never recommended.
    """

    name: ClassVar[str]

    def __init__(self, config: Any = None) -> None:
        self.config = system(self.name).preset()[1] if config is None else config
        #: root mean squared error on the training ratings, each withheld in turn; None for KNN
        self.train_rmse_: float | None = None
        #: (examples seen, RMSE over the examples since the point before) pairs, the paper's Fig. 4
        self.loss_curve_: list[tuple[int, float]] = []

    @abstractmethod
    def fit(self, ratings: Ratings, *, options: RunOptions | None = None) -> Self:
        """Learn from ``ratings``; the same seed gives the same model on the same device."""

    @abstractmethod
    def predict(
        self, profiles: csr_array | None, rows: NDArray[np.integer], items: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Stars, on the scale, for each pair ``(rows[i], items[i])``; never NaN."""

    @abstractmethod
    def recommend(
        self, profiles: csr_array | None, k: int, exclude: csr_array | None = None
    ) -> Ranking:
        """The k best movies for every profile, without those in ``exclude`` (default: rated)."""

    @abstractmethod
    def to_arrays(self) -> dict[str, NDArray]:
        """What was learned, as plain arrays; with the configuration it makes the artefact."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray]) -> Self:
        """The model that ``to_arrays`` came from, predicting the same bit for bit."""


def implementation(name: str) -> type[Recommender]:
    """The class behind a registry name; importing it may load torch."""
    module, _, attribute = system(name).implementation.partition(":")
    found: type[Recommender] = getattr(import_module(module), attribute)
    return found
