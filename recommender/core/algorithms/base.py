"""The contract that every system keeps, and the ranking that all systems share."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError, FitError
from recommender.core.ratings import Ratings, Scale
from recommender.core.runs import Progress, RunOptions, ignore_progress, time_left
from recommender.core.systems import system


@dataclass(frozen=True)
class Ranking:
    """The best items for each of n profiles.

    ``items`` (n, k) int32: item positions, best first, -1 where fewer than k items can be
    recommended. ``scores`` (n, k) float64: predicted ratings on the scale, NaN where there is no
    item. ``tied`` (n,) int64: how many items share the top value of what the system ranks by,
    for most systems the score before clipping (1: no tie, 0: nothing to recommend).
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float64]
    tied: NDArray[np.int64]


class Recommender(ABC):
    """One system. The constructor stores the configuration; ``fit`` learns everything else.

    To write a system, copy ``bias.py``, implement the five abstract methods below and add an entry
    to ``recommender.core.systems.SYSTEMS``. Their code may use ``config`` and, once ``fit`` or
    ``from_arrays`` has set them: ``n_items_``; ``scale_``; ``seed_``; ``profiles_``, the training
    ratings as a CSR matrix (n_users, n_items); ``counts_`` (n_items), the number of training
    ratings of each item.

    ``profiles`` arguments are CSR matrices (m, n_items) of ratings; an entry that is not stored
    means "not rated". The methods below see positive ratings only: those on a scale that reaches
    zero or less are shifted by ``offset_``, and predictions are shifted back. Users are known by
    their profile alone: a system must accept profiles that it was not trained on. It
    must predict a finite number for empty profiles and for items without training ratings
    (usually the damped bias); ``recommend`` never returns the latter. A profile is used as it is:
    to predict a rating that it contains, remove that rating first.
    """

    name: ClassVar[str]  #: the key in SYSTEMS
    #: False if the first key of ``_score`` is not the predicted rating, as of popularity
    ranks_by_rating: ClassVar[bool] = True
    block_cells: ClassVar[int] = 4_000_000  #: profiles times items in one ``_score`` call
    pairs_at_once = 100_000  #: pairs in one ``predict`` call of an evaluation

    n_items_: int
    scale_: Scale
    offset_: float
    seed_: int
    profiles_: csr_array
    counts_: NDArray[np.int64]

    def __init__(self, config: Any = None) -> None:
        self.config = system(self.name).preset()[1] if config is None else config
        #: RMSE of training ratings, each predicted without itself (systems with factors: in the
        #: last pass); None if not measured (KNN)
        self.train_rmse_: float | None = None
        #: False if ``RunOptions.max_seconds`` ended the training early
        self.finished_ = True
        #: (examples seen, RMSE since the previous point), the paper's Figure 4
        self.loss_curve_: list[tuple[int, float]] = []

    def fit(self, ratings: Ratings, *, options: RunOptions | None = None) -> Self:
        """Learn from ``ratings``; the same seed gives the same model on the same device.

        Raises FitError if there is nothing to learn from or training fails, ConfigurationError
        for a configuration or device that cannot be used, and whatever ``options.progress``
        raises (``errors.Cancelled`` to stop).
        """
        options = options or RunOptions()
        self.check()
        if ratings.n_ratings == 0:
            raise FitError(
                "There are no ratings to learn from. Import ratings or change the split."
            )
        if lacking := ratings.lacks(self.config.needs):
            raise ConfigurationError(
                f"{self.name} needs {' and '.join(lacking)}, which the data set does not have."
            )
        self.offset_ = ratings.scale.offset
        ratings = ratings.shifted(self.offset_)
        self._remember(ratings.matrix(), ratings.scale, options.seed)
        options.progress(Progress(phase="training"))
        self._fit(ratings, options)
        return self

    def check(self) -> None:
        """Raise ConfigurationError for settings that cannot be trained with, whatever the ratings.

        It refuses unknown choices and what ``_limits`` excludes. Override it, calling it first, to
        check more than single fields.
        """
        check_fields(self.config, self._limits())

    def predict(
        self,
        profiles: csr_array | None,
        rows: NDArray[np.integer],
        items: NDArray[np.integer],
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Predicted ratings (n), clipped to the scale, of the n pairs ``(rows[i], items[i])``.

        ``rows`` are positions in ``profiles``; None stands for the training profiles. ``times``
        (n, seconds since 1970 UTC) are when the ratings are given, if that is known; only systems
        whose configuration ``uses_dates`` read them. Raises ConfigurationError for positions out
        of range or profiles over other items.
        """
        return self.predict_covered(profiles, rows, items, times)[0]

    def predict_covered(
        self,
        profiles: csr_array | None,
        rows: NDArray[np.integer],
        items: NDArray[np.integer],
        times: NDArray[np.int64] | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """What ``predict`` returns, and for each pair whether it is more than the fallback."""
        matrix, rows, items = self._checked(profiles, rows, items)
        training = profiles is None
        predicted, covered = self._predict_covered(matrix, rows, items, training, times)
        return np.asarray(self.scale_.clip(predicted) - self.offset_, np.float64), covered

    def recommend(
        self,
        profiles: csr_array | None,
        k: int,
        exclude: csr_array | None = None,
        *,
        rows: NDArray[np.integer] | None = None,
        options: RunOptions | None = None,
    ) -> Ranking:
        """The k best items for each profile (None: the training profiles).

        ``exclude`` is a matrix of the profiles' shape; its stored entries are not recommended
        (default: the rated items). ``rows`` (n) are the positions of the profiles to rank for;
        None stands for all of them. Items are ordered by prediction before clipping (or what else
        the system ranks by), then by the system's tie breaks (see ``_score``), then by a hash of
        the item and the model's seed.
        """
        matrix = self._matrix(profiles)
        exclude = matrix if exclude is None else exclude.tocsr()
        if exclude.shape != matrix.shape:
            raise ConfigurationError(
                f"exclude has the shape {exclude.shape} and the profiles {matrix.shape}. "
                "Give one row of items for each profile."
            )
        asked = np.arange(matrix.shape[0]) if rows is None else rows
        asked = _positions(asked, matrix.shape[0], "profiles")
        n, progress = len(asked), options.progress if options else ignore_progress
        items = np.full((n, k), -1, np.int32)
        scores = np.full((n, k), np.nan)
        tied = np.zeros(n, np.int64)
        hashes = seeded_hash(self.n_items_, self.seed_)
        block = max(1, self.block_cells // max(1, self.n_items_))
        started = time.monotonic()
        for start in range(0, n, block):
            progress(Progress("recommending", start, n, seconds_left=time_left(started, start, n)))
            stop = min(start + block, n)
            users = asked[start:stop]
            keys = (*self._score(matrix[users], users if profiles is None else None), hashes)
            for row in range(start, stop):
                allowed = self.counts_ > 0
                known = slice(exclude.indptr[asked[row]], exclude.indptr[asked[row] + 1])
                allowed[exclude.indices[known]] = False
                candidates = np.flatnonzero(allowed)
                own: list[NDArray] = [
                    key[row - start, candidates] if key.ndim == 2 else key[candidates]
                    for key in keys
                ]
                best, tied[row] = rank_candidates(own, k)
                items[row, : len(best)] = candidates[best]
                scores[row, : len(best)] = own[0][best]
        if not self.ranks_by_rating:
            lists, places = np.nonzero(items >= 0)
            chosen = items[lists, places].astype(np.int64)
            scores[lists, places] = self._predict(
                matrix, asked[lists], chosen, training=profiles is None
            )
        scores = np.asarray(self.scale_.clip(scores) - self.offset_, np.float64)
        return Ranking(items=items, scores=scores, tied=tied)

    def to(self, device: str) -> Self:
        """Predict on this device from now on; systems without a network ignore it."""
        return self

    def to_arrays(self) -> dict[str, NDArray]:
        """Everything learned, as named arrays: with the configuration, the model's artefact."""
        scale = self.scale_
        return {
            "profiles.indptr": np.asarray(self.profiles_.indptr, np.int64),
            "profiles.indices": np.asarray(self.profiles_.indices, np.int32),
            "profiles.values": np.asarray(self.profiles_.data, np.float32),
            "n_items": np.asarray([self.n_items_], np.int64),
            "scale": np.asarray([scale.minimum, scale.maximum, scale.step], np.float64),
            **({"offset": np.asarray([self.offset_])} if self.offset_ else {}),
            "seed": np.asarray([self.seed_], np.int64),
            "train_rmse": np.asarray(
                [] if self.train_rmse_ is None else [self.train_rmse_], np.float64
            ),
            "loss_curve": np.asarray(self.loss_curve_, np.float64).reshape(-1, 2),
            **self._arrays(),
        }

    @classmethod
    def from_arrays(cls, config: Any, arrays: Mapping[str, NDArray]) -> Self:
        """The model that ``to_arrays`` came from; its predictions are the same bit for bit."""
        model = cls(config)
        indptr = arrays["profiles.indptr"]
        parts = (arrays["profiles.values"], arrays["profiles.indices"], indptr)
        shape = (len(indptr) - 1, int(arrays["n_items"][0]))
        scale = Scale(*(float(value) for value in arrays["scale"]))
        model.offset_ = float(arrays["offset"][0]) if "offset" in arrays else 0.0
        model._remember(csr_array(parts, shape=shape), scale, int(arrays["seed"][0]))
        if len(arrays["train_rmse"]):
            model.train_rmse_ = float(arrays["train_rmse"][0])
        model.loss_curve_ = [(int(seen), float(loss)) for seen, loss in arrays["loss_curve"]]
        model._restore(arrays)
        return model

    def _limits(self) -> dict[str, tuple[bool, str]]:
        """The limits of the settings, as for ``check_fields``; none by default."""
        return {}

    @abstractmethod
    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        """Learn from ``ratings`` (at least one) and set attributes whose names end in ``_``."""

    @abstractmethod
    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Predicted ratings (n) of the pairs ``(rows[i], items[i])``; the caller clips them.

        ``training`` tells that ``profiles`` are the training profiles, so that ``rows`` are the
        positions of training users (KNN leaves a user out of their own neighbours).
        ``times`` (n) are None if it is not known when the ratings are given.
        """

    def _predict_covered(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        training: bool,
        times: NDArray[np.int64] | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """``_predict``, and which pairs (n) the system predicts itself.

        By default those with a rating in the profile and a training rating of the item. Override
        it in a system that falls back more or less often.
        """
        covered = (np.diff(profiles.indptr)[rows] > 0) & (self.counts_[items] > 0)
        return self._predict(profiles, rows, items, training=training, times=times), covered

    @abstractmethod
    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        """The keys by which the items of b profiles are ranked: predictions, then tie breaks.

        The first key (b, n_items) is what ``_predict`` would return for every pair, unless
        ``ranks_by_rating`` is False. Each further key, (b, n_items) or (n_items,), orders items
        whose earlier keys are equal; larger is better. ``(predictions,
        self.counts_.astype(np.float64))`` prefers the item with more ratings; ``(predictions,)``
        leaves ties to the seeded hash. ``users`` (b) are the positions of training users, None
        for other profiles.
        """

    @abstractmethod
    def _arrays(self) -> dict[str, NDArray]:
        """What this system learned, for the artefact; the training profiles are added to it."""

    @abstractmethod
    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Set what ``_fit`` would set from the arrays that ``_arrays`` returned."""

    def _passes(self, options: RunOptions, total: int) -> Iterator[int]:
        """The numbers of the passes, from 0 on; it ends early after ``options.max_seconds``."""
        started = time.monotonic()
        for done in range(total):
            spent = time.monotonic() - started
            if done and options.max_seconds is not None and spent >= options.max_seconds:
                self.finished_ = False
                return
            left = spent / done * (total - done) if done else None
            loss = self.loss_curve_[-1][1] if self.loss_curve_ else None
            options.progress(Progress("training", done, total, done, loss, left))
            yield done

    def _remember(self, matrix: csr_array, scale: Scale, seed: int) -> None:
        self.n_items_, self.scale_, self.seed_ = matrix.shape[1], scale, seed
        self.profiles_ = matrix
        self.counts_ = np.bincount(matrix.indices, minlength=self.n_items_).astype(np.int64)

    def _checked(
        self,
        profiles: csr_array | None,
        rows: NDArray[np.integer],
        items: NDArray[np.integer],
    ) -> tuple[csr_array, NDArray[np.int64], NDArray[np.int64]]:
        """The arguments of ``predict`` as ``_predict`` gets them."""
        matrix = self._matrix(profiles)
        rows = _positions(rows, matrix.shape[0], "profiles")
        return matrix, rows, _positions(items, self.n_items_, "items")

    def _matrix(self, profiles: csr_array | None) -> csr_array:
        if profiles is None:
            return self.profiles_
        if profiles.shape[1] != self.n_items_:
            raise ConfigurationError(
                f"The profiles have {profiles.shape[1]} items, the model {self.n_items_}. "
                "Give profiles over the items of the model's data set."
            )
        matrix = csr_array(profiles)
        if self.offset_:
            parts = (matrix.data + np.float32(self.offset_), matrix.indices, matrix.indptr)
            matrix = csr_array(parts, shape=matrix.shape)
        return matrix


def rank_candidates(keys: list[NDArray], k: int) -> tuple[NDArray[np.int64], int]:
    """Positions of the k best candidates, best first, and how many share the top of ``keys[0]``.

    ``keys`` are parallel arrays over the candidates, most important first. Larger is better,
    except in the last one (the seeded hash), where smaller is better.
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
    """Patternless numbers (n_items) to break ties: splitmix64 of the item position and the seed.

    Steele, Lea & Flood, OOPSLA 2014; the arithmetic is modulo 2^64.
    """
    golden = 0x9E3779B97F4A7C15
    state = np.arange(1, n_items + 1, dtype=np.uint64) * np.uint64(golden)
    state += np.uint64((seed * 0xD1342543DE82EF95 + golden) % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return state ^ (state >> np.uint64(31))


def implementation(name: str, config: Any = None) -> type[Recommender]:
    """The class that implements a system for this configuration; importing it may load torch."""
    config = system(name).preset()[1] if config is None else config
    module, _, attribute = config.implementation.partition(":")
    found: type[Recommender] = getattr(import_module(module), attribute)
    return found


def check_fields(config: Any, limits: Mapping[str, tuple[bool, str]]) -> None:
    """Raise ConfigurationError that names every invalid field, its value and its valid range.

    ``limits`` maps a field's name to whether its value is valid, and the range in words. The
    choices of a field follow from its type.
    """
    choices = {
        name: (getattr(config, name) in get_args(kind), " or ".join(get_args(kind)))
        for name, kind in get_type_hints(type(config)).items()
        if get_origin(kind) is Literal
    }
    invalid = [
        f"{name}={getattr(config, name)!r} ({words})"
        for name, (valid, words) in {**choices, **limits}.items()
        if not valid
    ]
    if invalid:
        raise ConfigurationError(f"The model cannot be trained with {', '.join(invalid)}.")


def _positions(positions: NDArray[np.integer], limit: int, what: str) -> NDArray[np.int64]:
    if len(positions) and (positions.min() < 0 or positions.max() >= limit):
        raise ConfigurationError(
            f"A position is outside the {limit} {what}. Translate ids to positions first."
        )
    return positions.astype(np.int64)
