"""The contract of every system, the ranking they share, and how one is found by its name."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError, FitError
from recommender.core.ratings import Ratings, Scale
from recommender.core.systems import Progress, RunOptions, ignore_progress, system


@dataclass(frozen=True)
class Ranking:
    """The best movies for each of n profiles.

    ``items`` (n, k) int32, best first, -1 where fewer than k movies can be recommended; ``scores``
    (n, k) float64, NaN there; ``tied`` (n,) int64: among how many movies the top score was shared,
    before scores are held to the scale (1: none tied, 0: nothing to recommend).
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    tied: NDArray[np.int64]


class Recommender(ABC):
    """One system. The constructor stores the configuration; ``fit`` learns the rest.

    ``profiles`` is a CSR matrix (m profiles x n_items, stars) over the model's movies, None for
    the training profiles; ``rows`` are positions in it. A profile is taken as it stands: to
    predict a rating it holds, take that rating out first. A movie without training rating is
    predicted by the documented fallback and never recommended.

    A system implements the five methods with a leading underscore; what they may rely on:
    ``n_items_``, ``scale_``, ``seed_``, ``profiles_`` (the training ratings) and ``counts_``
    (training ratings of each movie).
    """

    name: ClassVar[str]
    block_cells: ClassVar[int] = 4_000_000  #: scores at once while ranking: 32 MB a float64 array
    pairs_at_once = 100_000  #: predictions after which an evaluation tells where it stands

    n_items_: int
    scale_: Scale
    seed_: int
    profiles_: csr_array
    counts_: NDArray[np.int64]

    def __init__(self, config: Any = None) -> None:
        self.config = system(self.name).preset()[1] if config is None else config
        #: root mean squared error on the training ratings, each withheld in turn; None for KNN
        self.train_rmse_: float | None = None
        #: False where training was ended by ``RunOptions.max_seconds`` before its last pass
        self.finished_ = True
        #: (examples seen, RMSE over the examples since the point before) pairs, the paper's Fig. 4
        self.loss_curve_: list[tuple[int, float]] = []

    def fit(self, ratings: Ratings, *, options: RunOptions | None = None) -> Self:
        """Learn from ``ratings``; the same seed gives the same model on the same device.

        Raises FitError where there is nothing to learn from or training fails, and whatever the
        progress callback raises (``errors.Cancelled`` to stop).
        """
        options = options or RunOptions()
        if ratings.n_ratings == 0:
            raise FitError("There is no rating to learn from. Import ratings, or split otherwise.")
        self._remember(ratings.matrix(), ratings.scale, options.seed)
        options.progress(Progress(phase="training"))
        self._fit(ratings, options)
        return self

    def predict(
        self, profiles: csr_array | None, rows: NDArray[np.integer], items: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Stars, on the scale, for each pair ``(rows[i], items[i])``; never NaN."""
        matrix = self._matrix(profiles)
        places = _positions(rows, matrix.shape[0], "profiles")
        movies = _positions(items, self.n_items_, "movies")
        found = self._predict(matrix, places, movies, training=profiles is None)
        return np.asarray(self.scale_.clip(found), np.float64)

    def recommend(
        self,
        profiles: csr_array | None,
        k: int,
        exclude: csr_array | None = None,
        *,
        options: RunOptions | None = None,
    ) -> Ranking:
        """The k best movies for every profile, without those in ``exclude`` (default: rated).

        Movies are ordered by the predicted stars before these are held to the scale, then by the
        system's tie keys, then by a hash of the movie seeded as the model. ``scores`` are what
        ``predict`` gives.
        """
        matrix = self._matrix(profiles)
        exclude = matrix if exclude is None else exclude.tocsr()
        if exclude.shape != matrix.shape:
            raise ConfigurationError(
                f"exclude has the shape {exclude.shape}, the profiles {matrix.shape}. Give one "
                "row of movies for each profile."
            )
        n, progress = matrix.shape[0], options.progress if options else ignore_progress
        items = np.full((n, k), -1, np.int32)
        scores = np.full((n, k), np.nan)
        tied = np.zeros(n, np.int64)
        hashes = seeded_hash(self.n_items_, self.seed_)
        block = max(1, self.block_cells // max(1, self.n_items_))
        began = time.monotonic()
        for start in range(0, n, block):
            left = (time.monotonic() - began) / start * (n - start) if start else None
            progress(Progress("recommending", start, n, seconds_left=left))
            stop = min(start + block, n)
            users = np.arange(start, stop) if profiles is None else None
            keys = (*self._score(matrix[start:stop], users), hashes)
            for row in range(start, stop):
                allowed = self.counts_ > 0
                allowed[exclude.indices[exclude.indptr[row] : exclude.indptr[row + 1]]] = False
                candidates = np.flatnonzero(allowed)
                own: list[NDArray] = [
                    key[row - start, candidates] if key.ndim == 2 else key[candidates]
                    for key in keys
                ]
                best, tied[row] = rank(own, k)
                items[row, : len(best)] = candidates[best]
                scores[row, : len(best)] = self.scale_.clip(own[0][best])
        return Ranking(items=items, scores=scores, tied=tied)

    def to(self, device: str) -> Self:
        """Predict on that device from now on; systems without a network have none and ignore it."""
        return self

    def to_arrays(self) -> dict[str, NDArray]:
        """What was learned, as plain arrays; with the configuration it makes the artefact."""
        scale = self.scale_
        return {
            "profiles.indptr": np.asarray(self.profiles_.indptr, np.int64),
            "profiles.indices": np.asarray(self.profiles_.indices, np.int32),
            "profiles.values": np.asarray(self.profiles_.data, np.float32),
            "n_items": np.asarray([self.n_items_], np.int64),
            "scale": np.asarray([scale.minimum, scale.maximum, scale.step], np.float64),
            "seed": np.asarray([self.seed_], np.int64),
            "train_rmse": np.asarray(
                [] if self.train_rmse_ is None else [self.train_rmse_], np.float64
            ),
            "loss_curve": np.asarray(self.loss_curve_, np.float64).reshape(-1, 2),
            **self._arrays(),
        }

    @classmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray]) -> Self:
        """The model that ``to_arrays`` came from, predicting the same bit for bit."""
        model = cls(config)
        indptr = arrays["profiles.indptr"]
        parts = (arrays["profiles.values"], arrays["profiles.indices"], indptr)
        shape = (len(indptr) - 1, int(arrays["n_items"][0]))
        scale = Scale(*(float(value) for value in arrays["scale"]))
        model._remember(csr_array(parts, shape=shape), scale, int(arrays["seed"][0]))
        if len(arrays["train_rmse"]):
            model.train_rmse_ = float(arrays["train_rmse"][0])
        model.loss_curve_ = [(int(seen), float(loss)) for seen, loss in arrays["loss_curve"]]
        model._restore(arrays)
        return model

    @abstractmethod
    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        """Learn; ``ratings`` has at least one rating."""

    @abstractmethod
    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
    ) -> NDArray[np.float64]:
        """Predictions before they are held to the scale; ``training``: rows are training users."""

    @abstractmethod
    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        """What a block of profiles is ranked by: the predictions (b, n_items), then tie keys.

        Every key ranks larger first and is (b, n_items) or (n_items,). ``users`` are the training
        positions of the profiles, None for others.
        """

    @abstractmethod
    def _arrays(self) -> dict[str, NDArray]:
        """What this system learned beyond the training profiles."""

    @abstractmethod
    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Take back what ``_arrays`` gave."""

    def _remember(self, matrix: csr_array, scale: Scale, seed: int) -> None:
        self.n_items_, self.scale_, self.seed_ = matrix.shape[1], scale, seed
        self.profiles_ = matrix
        self.counts_ = np.bincount(matrix.indices, minlength=self.n_items_).astype(np.int64)

    def _matrix(self, profiles: csr_array | None) -> csr_array:
        if profiles is None:
            return self.profiles_
        if profiles.shape[1] != self.n_items_:
            raise ConfigurationError(
                f"The profiles have {profiles.shape[1]} movies, the model {self.n_items_}. "
                "Give profiles over the movies of the model's data set."
            )
        return csr_array(profiles)


def rank(keys: list[NDArray], k: int) -> tuple[NDArray[np.int64], int]:
    """Positions of the k best candidates, best first, and how many share the top of ``keys[0]``.

    ``keys`` are parallel arrays over the candidates, most important first, larger is better,
    save for the last one (the seeded hash), where smaller is.
    """
    first = keys[0]
    if not len(first) or k < 1:
        return np.empty(0, np.int64), 0
    tied = int(np.count_nonzero(first == first.max()))
    worst = np.partition(first, -k)[-k] if len(first) > k else -np.inf
    chosen = np.flatnonzero(first >= worst)
    columns = [keys[-1][chosen], *(-key[chosen] for key in reversed(keys[:-1]))]
    return chosen[np.lexsort(columns)[:k]], tied


def seeded_hash(n_items: int, seed: int) -> NDArray[np.uint64]:
    """A hash of every movie position (n_items), without pattern: splitmix64 of position and seed.

    Steele, Lea & Flood, OOPSLA 2014; arithmetic is modulo 2^64.
    """
    golden = 0x9E3779B97F4A7C15
    state = np.arange(1, n_items + 1, dtype=np.uint64) * np.uint64(golden)
    state += np.uint64((seed * 0xD1342543DE82EF95 + golden) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return state ^ (state >> np.uint64(31))


def implementation(name: str, config: Any = None) -> type[Recommender]:
    """The class behind a registry name and configuration; importing it may load torch."""
    module, _, attribute = system(name).implementation_of(config).partition(":")
    found: type[Recommender] = getattr(import_module(module), attribute)
    return found


def _positions(positions: NDArray[np.integer], limit: int, what: str) -> NDArray[np.int64]:
    if len(positions) and (positions.min() < 0 or positions.max() >= limit):
        raise ConfigurationError(
            f"A position lies outside the {limit} {what}. Translate ids to positions first."
        )
    return positions.astype(np.int64)
