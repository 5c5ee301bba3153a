"""Reads a table of ratings block by block: on the fast path, or line by line if it must."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers.archive import (
    OnRead,
    SourceFile,
    ignore_bytes_read,
    read_ahead,
)
from recommender.core.readers.careful_path import CarefulReader
from recommender.core.readers.columns import (
    Columns,
    GrowingArray,
    IdColumn,
    Scales,
    TableFormat,
    TextIds,
    pieces,
    round_to_scale,
)
from recommender.core.readers.fast_path import read_fast

#: Below this size loading polars takes longer than reading line by line.
SMALL = 1 << 18


@dataclass(frozen=True, eq=False)
class RatingsTable:
    """The ratings of one file (n), in the order of its lines."""

    file: SourceFile
    form: TableFormat
    scale: Scale
    user_ids: NDArray  #: distinct, ascending: int64, or text
    item_ids: NDArray
    users: NDArray[np.int32]  #: positions in ``user_ids`` (n)
    items: NDArray[np.int32]  #: positions in ``item_ids`` (n)
    values: NDArray[np.float32]  #: levels of the scale (n)
    timestamps: NDArray[np.int64] | None  #: seconds since 1970 UTC (n)
    parts: list[tuple[int, int, list[int] | None]]  #: first rating, first line, all lines
    notes: dict[str, str]  #: what reading found and left out, for the report

    def line_of(self, row: int) -> int:
        """The line of the file with the rating number ``row``."""
        first_row, first_line, lines = next(part for part in reversed(self.parts) if part[0] <= row)
        return first_line + row - first_row if lines is None else lines[row - first_row]

    def place_of(self, row: int) -> str:
        """Where the rating number ``row`` is, for messages about another line."""
        return f"line {self.line_of(row)}"

    def item_error(self, row: int, problem: str, remedy: str) -> SourceError:
        """A problem with the item of the rating number ``row``."""
        return SourceError(
            problem,
            file=self.file.label,
            line=self.line_of(row),
            field=self.form.names[self.form.item],
            remedy=remedy,
        )


def read_table(
    file: SourceFile,
    form: TableFormat,
    scale: Scale | None = None,
    progress: OnRead = ignore_bytes_read,
    *,
    drop: Collection[str] = (),
) -> RatingsTable:
    """Read every rating of ``file``; SourceError with the first problems of its lines.

    ``scale`` replaces the candidates of the format. A column of ids is read as whole numbers, and
    if an id is text, the file is read again with that column as text. ``drop`` are ratings that
    are left out.
    """
    text: frozenset[int] = frozenset()
    while True:
        scales = Scales([scale] if scale else form.scales)
        careful = CarefulReader(file, form, scales, text, drop=drop)
        try:
            return _read(careful, progress)
        except TextIds as found:
            text |= {found.column}


class CollectedColumns:
    """Collects the columns of a table, block by block; ``expected`` is its largest likely length.

    The columns of ids numbered in ``text`` are text.
    """

    def __init__(self, expected: int, form: TableFormat, text: Collection[int]) -> None:
        self._users = IdColumn(expected, is_text=form.user in text)
        self._items = IdColumn(expected, is_text=form.item in text)
        self._values = GrowingArray(np.float32, expected)
        self._times = GrowingArray(np.int64, expected) if form.timestamp is not None else None

    def __len__(self) -> int:
        return len(self._values.array)

    def add(self, found: Columns) -> None:
        self._users.add(found.users)
        self._items.add(found.items)
        self._values.add(found.ratings.astype(np.float32))
        if self._times is not None and found.times is not None:
            self._times.add(found.times)

    def arrays(self, scale: Scale) -> dict[str, Any]:
        """The arrays of a RatingsTable by name; nothing can be added afterwards."""
        user_ids, users = self._users.positions()
        item_ids, items = self._items.positions()
        values = self._values.array
        for piece in pieces(values):
            piece[:] = round_to_scale(piece, scale)
        return {
            "user_ids": user_ids,
            "item_ids": item_ids,
            "users": users,
            "items": items,
            "values": values,
            "timestamps": None if self._times is None else self._times.array,
        }


def _read(careful: CarefulReader, progress: OnRead) -> RatingsTable:
    file, form, scales, text = careful.file, careful.form, careful.scales, careful.text
    use_fast_path = file.size >= SMALL and not text
    expected = file.size // (2 * len(form.names)) + 1  # every field and separator takes a byte
    collected = CollectedColumns(expected, form, text)
    parts: list[tuple[int, int, list[int] | None]] = []
    # One thread reads and hashes, another parses, and this one checks and collects.
    with (
        closing(read_ahead(file.blocks())) as read,
        closing(read_ahead(_parse(read, form, use_fast_path=use_fast_path))) as parsed,
    ):
        for line, block, fast in parsed:
            if not careful.accepts(fast):
                fast = [careful.read(block, line)]
            parts.append((len(collected), line, fast[0].lines))
            for found in fast:
                collected.add(found)
            progress(file.done, file.size)
    progress(file.size, file.size)
    careful.raise_problems()
    if not len(collected):
        problem = "has a header but no ratings" if form.has_header else "the file is empty"
        raise SourceError(problem, file=file.label, remedy="Name a file with ratings.")
    return RatingsTable(
        file=file,
        form=form,
        scale=scales.scale,
        parts=parts,
        notes=careful.notes(),
        **collected.arrays(scales.scale),
    )


def _parse(
    blocks: Iterator[tuple[int, bytes]], form: TableFormat, *, use_fast_path: bool
) -> Iterator[tuple[int, bytes, list[Columns]]]:
    """Blocks without the header, and their columns if the fast path takes them."""
    for line, block in blocks:
        if form.has_header and line == 1:
            line, block = 2, block.partition(b"\n")[2]
        yield line, block, read_fast(block, form) if use_fast_path else []
