"""What the columns of a file of ratings may hold: its layout, the scale, the ids."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.core.ratings import Scale

WHOLE = re.compile(r"[+-]?[0-9]+\Z")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
#: control characters, and the byte order mark, which two files joined carelessly leave in between
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]")
LONGEST_ID = 100
LARGEST_ID = 2**63 - 1
#: the last second of the year 9999, which is also the last one a date can show
LATEST = 253_402_300_799


@dataclass(frozen=True)
class Layout:
    """How the lines of a file of ratings are built; column numbers count from zero."""

    separator: str
    names: tuple[str, ...]  #: the columns in the file's order, as messages call them
    user: int
    item: int
    rating: int
    timestamp: int | None
    has_header: bool = False
    text_ids: bool = False  #: ids may be any text; without it they are whole numbers

    def split(self, text: str) -> list[str]:
        """The fields of one line; csv.Error where quotes do not close."""
        if self.separator == "," and '"' in text:
            return next(csv.reader([text], strict=True))
        return text.split(self.separator)


class Scales:
    """Which scales the ratings read so far fit: one that was given, or the usual ones."""

    def __init__(self, candidates: Sequence[Scale]) -> None:
        self.left = list(candidates)
        self._levels = {scale: set(scale.levels().tolist()) for scale in candidates}

    def accept(self, values: NDArray[np.float64]) -> bool:
        """Whether a scale fits these values too; the others are dropped, if any is left."""
        fitting = [scale for scale in self.left if scale.contains(values).all()]
        self.left = fitting or self.left
        return bool(fitting)

    def accept_one(self, value: float) -> bool:
        """The same for one value, without the cost of an array."""
        fitting = [
            scale
            for scale in self.left
            if value in self._levels[scale] or scale.contains(np.array([value]))[0]
        ]
        self.left = fitting or self.left
        return bool(fitting)

    @property
    def scale(self) -> Scale:
        return self.left[0]


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of texts: each different one once, and which of them stands on each line (n)."""

    different: list[str]
    codes: NDArray[np.intp]

    @classmethod
    def of(cls, values: NDArray[np.object_]) -> Texts:
        import pandas as pd

        codes, different = pd.factorize(values)
        return cls([str(text).strip() for text in different], codes)

    def __len__(self) -> int:
        return len(self.codes)


class Ids:
    """One id column: its values as whole numbers, or as numbers given to texts."""

    def __init__(self, *, text: bool) -> None:
        self.text = text
        self._codes: dict[str, int] = {}
        self._parts: list[NDArray] = []

    def add(self, part: NDArray[np.int64] | Texts) -> None:
        if isinstance(part, Texts):
            codes = [self._codes.setdefault(text, len(self._codes)) for text in part.different]
            self._parts.append(np.asarray(codes, np.int32)[part.codes])
        else:
            small = len(part) and part.max() < 2**31
            self._parts.append(part.astype(np.int32 if small else np.int64))

    def positions(self) -> tuple[NDArray, NDArray]:
        """Ascending ids without repetition, and each value's position among them (n)."""
        values = np.concatenate(self._parts)
        self._parts.clear()
        if self.text:
            names = np.array(list(self._codes))
            order = np.argsort(names)
            return names[order], np.argsort(order).astype(np.int32)[values]
        highest = int(values.max())
        if highest > 4 * len(values) + 1_000_000:
            ids, places = np.unique(values.astype(np.int64), return_inverse=True)
            return ids, places.astype(np.int32)
        # Ids are mostly dense: a table of those present is ten times faster than sorting them.
        present = np.zeros(highest + 1, np.bool_)
        present[values] = True
        places = (np.cumsum(present) - 1).astype(np.int32)
        return np.flatnonzero(present).astype(np.int64), places[values]


def is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and not CONTROL.search(text)
