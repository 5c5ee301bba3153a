"""What a table of ratings looks like, and what its columns may contain."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.core.ratings import Scale

#: Ids that are the same as text and as a number.
CANONICAL = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\Z")
#: Control characters, and the byte order mark that stays inside when two files are concatenated.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]")
LONGEST_ID = 100
LARGEST_ID = 2**63 - 1
#: The last second of the year 9999, the last one that datetime can represent.
LATEST = 253_402_300_799
#: Values that are worked on at a time.
PIECE = 1 << 18


@dataclass(frozen=True)
class TableFormat:
    """How the lines of a table of ratings are built; columns are counted from zero."""

    name: str
    separator: str
    names: tuple[str, ...]  #: the columns in the order of the file, as messages call them
    user: int
    item: int
    rating: int
    timestamp: int | None
    scales: tuple[Scale, ...]  #: tried in this order unless the user gives a scale
    has_header: bool = False
    text_ids: bool = True  #: ids may be any text; otherwise they are whole numbers
    ticks: int = 1  #: of the times in a second; 0: they are dates of ISO 8601
    may_lack_times: bool = True  #: the column of times may be left out

    @property
    def used(self) -> list[int]:
        """The columns that are read."""
        used = [self.user, self.item, self.rating, self.timestamp]
        return [column for column in used if column is not None]

    def split(self, text: str) -> list[str]:
        """The fields of one line; LineError if a quote is not closed."""
        return split_line(text, self.separator)


@dataclass(frozen=True)
class JsonLines(TableFormat):
    """One object on each line; ``names`` are the keys that are read."""

    def split(self, text: str) -> list[str]:
        """The values as they are written, numbers included; LineError unless it is an object."""
        record = parse_object(text)
        if missing := [name for name in self.names if name not in record]:
            raise LineError(f"the key {missing[0]!r} is missing", "Add it.")
        values = (record[name] for name in self.names)
        return ["" if value is None else str(value) for value in values]


class LineError(Exception):
    """A line or field cannot be read: the problem, and what to do."""


def split_line(text: str, separator: str) -> list[str]:
    """The fields of one line; LineError if a quote is not closed."""
    if '"' not in text or len(separator) > 1:
        return text.split(separator)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error as error:
        problem = f"a quote is not closed on its line ({error})"
        raise LineError(problem, "Write each record on one line.") from error


def parse_object(text: str) -> dict[str, object]:
    """One JSON object, numbers as they are written; LineError."""
    try:
        record = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        problem = f"is not JSON ({error})"
        raise LineError(problem, "Write one object on each line.") from error
    if not isinstance(record, dict):
        raise LineError("is not a JSON object", "Write one object on each line.")
    return record


class Scales:
    """The candidate scales that fit all ratings read so far."""

    def __init__(self, candidates: Sequence[Scale]) -> None:
        self.left = list(candidates)

    def accept(self, values: NDArray[np.floating]) -> bool:
        """Whether a scale fits these values too; if so, the scales that do not are dropped."""
        fitting = [scale for scale in self.left if scale.contains(values).all()]
        self.left = fitting or self.left
        return bool(fitting)

    @property
    def scale(self) -> Scale:
        return self.left[0]


@dataclass(frozen=True, eq=False)
class Columns:
    """The ratings of one block of lines, as parallel columns."""

    users: NDArray[np.integer] | list[str]
    items: NDArray[np.integer] | list[str]
    ratings: NDArray[np.float64]
    times: NDArray[np.int64] | None = None
    lines: list[int] | None = None  #: the line of each rating, unless the lines are consecutive


class TextIds(Exception):
    """A column of ids is not made of whole numbers, so it has to be read as text."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


class GrowingArray:
    """An array that parts are appended to; ``expected`` is its largest likely length.

    Memory that is reserved but never written costs nothing. Joining the parts afterwards would
    need their memory twice.
    """

    def __init__(self, kind: type, expected: int) -> None:
        self._whole: NDArray = np.empty(expected, kind)
        self._length = 0

    def add(self, part: NDArray) -> None:
        length = self._length + len(part)
        kind = np.promote_types(self._whole.dtype, part.dtype)
        if length > len(self._whole) or kind != self._whole.dtype:
            larger = np.empty(max(2 * length, len(self._whole)), kind)
            larger[: self._length] = self.array
            self._whole = larger
        self._whole[self._length : length] = part
        self._length = length

    @property
    def array(self) -> NDArray:
        return self._whole[: self._length]


class IdColumn:
    """Collects one column of ids, block by block, and replaces the ids by positions."""

    def __init__(self, expected: int, *, is_text: bool) -> None:
        self._is_text = is_text
        self._codes: dict[str, int] = {}
        self._ids = GrowingArray(np.int32, expected)

    def add(self, ids: NDArray[np.integer] | list[str]) -> None:
        if self._is_text:
            ids = np.array([self._codes.setdefault(str(i), len(self._codes)) for i in ids])
        elif isinstance(ids, list):
            ids = np.array([int(text) for text in ids], np.int64)
        fit = ids.max(initial=0) < 2**31
        self._ids.add(ids.astype(np.int32) if fit else ids)

    def positions(self) -> tuple[NDArray, NDArray[np.int32]]:
        """Distinct ids in ascending order, and the position of each rating's id among them (n).

        The positions replace the ids in memory, so nothing can be added afterwards.
        """
        values = self._ids.array
        highest = int(values.max())
        positions: NDArray  # of each code, or of each number up to the highest id
        if self._is_text:
            names = np.array(list(self._codes))
            order = np.argsort(names)
            ids, positions = names[order], np.argsort(order)
        elif highest > 4 * len(values) + 1_000_000:
            ids, inverse = np.unique(values, return_inverse=True)
            return ids, inverse.astype(np.int32)
        else:
            # Ids are usually dense; marking those present is ten times faster than sorting them.
            present = np.zeros(highest + 1, np.bool_)
            for part in pieces(values):
                present[part] = True
            ids, positions = np.flatnonzero(present), np.cumsum(present, dtype=np.int32) - 1
        for part in pieces(values):
            part[:] = positions[part]
        return ids, values.astype(np.int32, copy=False)


def pieces(array: NDArray) -> list[NDArray]:
    """Views of successive parts that fit in the processor's cache."""
    return np.array_split(array, len(array) // PIECE + 1)


def is_canonical(text: str) -> bool:
    """Whether an id can be kept as a number of 64 bits without changing its letters."""
    return CANONICAL.match(text) is not None and int(text) <= LARGEST_ID


def is_id(text: str) -> bool:
    return 0 < len(text) <= LONGEST_ID and not CONTROL.search(text)


def round_to_scale(values: NDArray[np.floating], scale: Scale) -> NDArray[np.float32]:
    """Ratings (n) as exact levels of the scale, whatever the last printed digit was."""
    steps = np.round((values.astype(np.float64) - scale.minimum) / scale.step)
    return (scale.minimum + steps * scale.step).astype(np.float32)
