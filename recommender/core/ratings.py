"""Ratings: a sparse matrix with the ids of its rows and columns, time stamps and official folds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.labels import ItemLabels

if TYPE_CHECKING:
    from scipy.sparse import csr_array


MOST_LEVELS = 1_000_000


@dataclass(frozen=True)
class Scale:
    """The allowed ratings: ``minimum``, ``minimum + step``, ..., ``maximum``."""

    minimum: float
    maximum: float
    step: float

    def __post_init__(self) -> None:
        levels = (self.maximum - self.minimum) / self.step if self.step > 0 else -1.0
        if not 0 <= levels < MOST_LEVELS or abs(levels - round(levels)) > 1e-6:
            raise ConfigurationError(
                f"{self} is not a valid scale: it needs MIN <= MAX, with MAX a whole number of "
                f"steps above MIN, such as 0.5:5:0.5, and at most {MOST_LEVELS:,} levels."
            )

    def __str__(self) -> str:
        return f"{self.minimum:g}:{self.maximum:g}:{self.step:g}"

    @classmethod
    def parse(cls, text: str) -> Scale:
        """Read ``MIN:MAX:STEP``; ConfigurationError if it is not a scale."""
        parts = text.split(":")
        try:
            minimum, maximum, step = (float(part) for part in parts)
        except ValueError:
            raise ConfigurationError(
                f"{text!r} is not a scale. Write MIN:MAX:STEP, such as 0.5:5:0.5."
            ) from None
        return cls(minimum, maximum, step)

    @property
    def offset(self) -> float:
        """What is added to ratings so that all are positive and the lowest is one step; 0 if all
        are positive already. In a rating vector, 0 means "not rated"."""
        return self.step - self.minimum if self.minimum <= 0 else 0.0

    def levels(self) -> NDArray[np.float64]:
        """Every allowed rating, ascending."""
        count = round((self.maximum - self.minimum) / self.step) + 1
        return np.asarray(self.minimum + self.step * np.arange(count), np.float64)

    def contains(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether each value is an allowed rating; NaN and infinity are not."""
        with np.errstate(invalid="ignore"):
            steps = (np.asarray(values, np.float64) - self.minimum) / self.step
            on_step = np.abs(steps - np.round(steps)) < 1e-4
        inside = (values >= self.minimum - 1e-6) & (values <= self.maximum + 1e-6)
        return np.isfinite(values) & on_step & inside

    def clip(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """The values, limited to the scale but not rounded to its steps."""
        return np.clip(values, self.minimum, self.maximum)


@dataclass(frozen=True, eq=False)
class Ratings:
    """Ratings of ``n_users`` users on ``n_items`` items, sorted by user, then item.

    ``indptr`` (n_users + 1, int64), ``indices`` (n_ratings, int32: item positions) and ``values``
    (n_ratings, float32: stars) form a CSR matrix. ``timestamps`` (n_ratings, int64: seconds since
    1970 UTC) is None if the source has none. ``user_ids`` and ``item_ids`` map positions to the
    source's ids. ``folds`` maps the name of an official fold to a boolean array (n_ratings) that
    is true for its test ratings. ``labels`` maps kinds of ``labels.KINDS`` to what
    the data set says of its items. Arrays may be memory-mapped and must not be written to.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    timestamps: NDArray[np.int64] | None
    user_ids: NDArray
    item_ids: NDArray
    scale: Scale
    folds: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    labels: Mapping[str, ItemLabels] = field(default_factory=dict)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def n_ratings(self) -> int:
        return len(self.values)

    @classmethod
    def from_triples(
        cls,
        users: NDArray,
        items: NDArray,
        values: NDArray,
        *,
        scale: Scale,
        timestamps: NDArray | None = None,
        user_ids: NDArray | None = None,
        item_ids: NDArray | None = None,
    ) -> Ratings:
        """Build from parallel arrays of user positions, item positions and ratings.

        Ids default to the positions. Raises ConfigurationError if a (user, item) pair is repeated.
        """
        users, items = np.asarray(users, np.int64), np.asarray(items, np.int64)
        user_ids = np.arange(users.max(initial=-1) + 1) if user_ids is None else user_ids
        item_ids = np.arange(items.max(initial=-1) + 1) if item_ids is None else item_ids
        order = np.lexsort((items, users))
        users, items = users[order], items[order]
        if np.any((np.diff(users) == 0) & (np.diff(items) == 0)):
            raise ConfigurationError("A user rated an item twice. Keep one rating of each pair.")
        return cls(
            indptr=np.searchsorted(users, np.arange(len(user_ids) + 1)).astype(np.int64),
            indices=items.astype(np.int32),
            values=np.asarray(values, np.float32)[order],
            timestamps=None if timestamps is None else np.asarray(timestamps, np.int64)[order],
            user_ids=user_ids,
            item_ids=item_ids,
            scale=scale,
        )

    def matrix(self) -> csr_array:
        """The user-item matrix R (n_users x n_items, float32), sharing memory with this object."""
        from scipy.sparse import csr_array

        shape = (self.n_users, self.n_items)
        return csr_array((self.values, self.indices, self.indptr), shape=shape, copy=False)

    def lacks(self, needs: Iterable[str]) -> list[str]:
        """Which of ``needs`` ("timestamps" or kinds of labels) these ratings do not have."""
        known = {*self.labels, *(["timestamps"] if self.timestamps is not None else [])}
        return [need for need in needs if need not in known]

    def shifted(self, offset: float) -> Ratings:
        """The same ratings, and their scale, plus ``offset``."""
        if not offset:
            return self
        minimum, maximum = self.scale.minimum + offset, self.scale.maximum + offset
        values = self.values + np.float32(offset)
        return replace(self, values=values, scale=Scale(minimum, maximum, self.scale.step))

    def rows(self) -> NDArray[np.int64]:
        """The user position of every rating (n_ratings)."""
        return np.repeat(np.arange(self.n_users), np.diff(self.indptr))

    def select(self, chosen: NDArray[np.bool_]) -> Ratings:
        """The ratings where ``chosen`` (n_ratings) is true; ids and positions stay the same."""
        counts = np.add.reduceat(np.append(chosen, False).astype(np.int64), self.indptr[:-1]) * (
            np.diff(self.indptr) > 0
        )  # reduceat returns one element, not zero, for an empty row
        return Ratings(
            indptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
            indices=self.indices[chosen],
            values=self.values[chosen],
            timestamps=None if self.timestamps is None else self.timestamps[chosen],
            user_ids=self.user_ids,
            item_ids=self.item_ids,
            scale=self.scale,
            folds={name: mask[chosen] for name, mask in self.folds.items()},
            labels=self.labels,
        )
