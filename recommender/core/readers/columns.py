"""What the columns of a file of ratings may hold: its layout, the scale, the ids."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

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
#: values looked up at once: so many fit into a processor's cache
PIECE = 1 << 16


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


@dataclass(frozen=True, eq=False)
class Tenths:
    """A column of stars from 0 to 25.5: ten times each of them (n, uint8)."""

    codes: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.codes)


def joined(
    parts: Sequence[Any], kind: type[np.generic], write: Callable[[Any, NDArray], object]
) -> NDArray:
    """One array of ``kind`` out of many parts; ``write`` fills the piece of one of them."""
    ends = list(accumulate(map(len, parts)))
    whole = np.empty(ends[-1] if ends else 0, kind)
    pieces = [whole[end - len(part) : end] for part, end in zip(parts, ends, strict=True)]
    _at_once(write, parts, pieces)
    return whole


def chained(parts: Sequence[NDArray], kind: type[np.generic]) -> NDArray:
    """One array out of many parts: themselves where each lies behind the former in memory."""
    first, base = parts[0], parts[0].base
    if isinstance(base, np.ndarray) and base.ndim == 1 and base.dtype == first.dtype == kind:
        ends = [part.ctypes.data + part.nbytes for part in parts]
        starts = [part.ctypes.data for part in parts]
        if all(part.base is base for part in parts) and starts[1:] == ends[:-1]:
            start = (starts[0] - base.ctypes.data) // base.itemsize
            return base[start : start + sum(map(len, parts))]
    return joined(parts, kind, _copy)


def _copy(part: NDArray, piece: NDArray) -> None:
    piece[:] = part


def _at_once(do: Callable[..., object], *arguments: Sequence[Any]) -> None:
    """``map`` on all processors, for what numpy does without the interpreter."""
    if len(arguments[0]) == 1:
        do(*(one for (one,) in arguments))
        return
    with ThreadPoolExecutor() as pool:
        list(pool.map(do, *arguments))


def on_levels(parts: Sequence[NDArray[np.float64] | Tenths], scale: Scale) -> NDArray[np.float32]:
    """Stars as exactly the levels of the scale, whatever the last printed digit was."""

    def rounded(values: NDArray[np.float64]) -> NDArray[np.float32]:
        steps = np.round((values - scale.minimum) / scale.step)
        return (scale.minimum + steps * scale.step).astype(np.float32)

    tenths = rounded(np.arange(256) / 10)

    def write(part: NDArray[np.float64] | Tenths, piece: NDArray) -> None:
        if isinstance(part, Tenths):
            np.take(tenths, part.codes, out=piece, mode="clip")  # "raise" would buffer
        else:
            piece[:] = rounded(part)

    return joined(parts, np.float32, write)


class Ids:
    """One id column: its values as whole numbers, or as numbers given to texts."""

    def __init__(self, *, text: bool) -> None:
        self.text = text
        self._codes: dict[str, int] = {}
        self._parts: list[NDArray] = []

    def add(self, part: NDArray[np.integer] | Texts) -> None:
        if isinstance(part, Texts):
            codes = [self._codes.setdefault(text, len(self._codes)) for text in part.different]
            self._parts.append(np.asarray(codes, np.int32)[part.codes])
        elif part.dtype != np.int32:
            small = len(part) and part.max() < 2**31
            self._parts.append(part.astype(np.int32 if small else np.int64))
        else:
            self._parts.append(part)

    def runs(self) -> tuple[NDArray, NDArray[np.int64]]:
        """Of whole numbers that never descend: those there are, and where each begins, and n."""
        ids, starts, n, last = [], [], 0, -1
        for part in self._parts:
            fresh = np.flatnonzero(part[1:] != part[:-1]) + 1
            fresh = fresh if part[0] == last else np.concatenate(([0], fresh))
            ids.append(part[fresh].astype(np.int64))
            starts.append(n + fresh)
            n, last = n + len(part), part[-1]
        self._parts = []
        return np.concatenate(ids), np.concatenate([*starts, [n]])

    def positions(self) -> tuple[NDArray, NDArray[np.int32]]:
        """Ascending ids without repetition, and each value's position among them (n)."""
        parts, self._parts = self._parts, []
        if self.text:
            names = np.array(list(self._codes))
            order = np.argsort(names)
            return names[order], _looked_up(np.argsort(order).astype(np.int32), parts)
        highest = max(int(part.max()) for part in parts)
        if highest > 4 * sum(map(len, parts)) + 1_000_000:
            values = np.concatenate(parts).astype(np.int64)
            ids, inverse = np.unique(values, return_inverse=True)
            return ids, inverse.astype(np.int32)
        # Ids are mostly dense: a table of those present is ten times faster than sorting them,
        # and part by part, as each fits into a processor's cache, twice as fast as all at once.
        present = np.zeros(highest + 1, np.bool_)
        _at_once(lambda part: present.__setitem__(part, True), parts)
        places = (np.cumsum(present) - 1).astype(np.int32)
        return np.flatnonzero(present).astype(np.int64), _looked_up(places, parts)


def _looked_up(table: NDArray[np.int32], parts: Sequence[NDArray]) -> NDArray[np.int32]:
    """The entry of the table for each value of the parts (n), which are used up."""
    if any(part.dtype != np.int32 for part in parts):
        return joined(parts, np.int32, lambda part, out: np.take(table, part, out=out, mode="clip"))
    # In place: fresh memory would take longer than looking up.
    pieces = [part[at : at + PIECE] for part in parts for at in range(0, len(part), PIECE)]
    _at_once(lambda piece: piece.__setitem__(slice(None), table[piece]), pieces)
    return chained(parts, np.int32)


def is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and not CONTROL.search(text)
