"""Reads a table of ratings block by block: on the fast path, or line by line if it must."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass

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


def _read(careful: CarefulReader, progress: OnRead) -> RatingsTable:
    file, form, scales, text = careful.file, careful.form, careful.scales, careful.text
    use_fast_path = file.size >= SMALL and not text
    expected = file.size // (2 * len(form.names)) + 1  # every field and separator takes a byte
    users, items = (IdColumn(expected, is_text=column in text) for column in (form.user, form.item))
    values, times = GrowingArray(np.float32, expected), GrowingArray(np.int64, expected)
    parts: list[tuple[int, int, list[int] | None]] = []
    # One thread reads and hashes, another parses, and this one checks and collects.
    with (
        closing(read_ahead(file.blocks())) as read,
        closing(read_ahead(_parse(read, form, use_fast_path=use_fast_path))) as parsed,
    ):
        for line, block, fast in parsed:
            if not careful.accepts(fast):
                fast = [careful.read(block, line)]
            parts.append((len(values.array), line, fast[0].lines))
            for found in fast:
                users.add(found.users)
                items.add(found.items)
                values.add(found.ratings.astype(np.float32))
                if found.times is not None:
                    times.add(found.times)
            progress(file.done, file.size)
    progress(file.size, file.size)
    careful.raise_problems()
    if not len(values.array):
        problem = "has a header but no ratings" if form.has_header else "the file is empty"
        raise SourceError(problem, file=file.label, remedy="Name a file with ratings.")
    user_ids, user_positions = users.positions()
    item_ids, item_positions = items.positions()
    for piece in pieces(values.array):
        piece[:] = round_to_scale(piece, scales.scale)
    return RatingsTable(
        file=file,
        form=form,
        scale=scales.scale,
        user_ids=user_ids,
        item_ids=item_ids,
        users=user_positions,
        items=item_positions,
        values=values.array,
        timestamps=None if form.timestamp is None else times.array,
        parts=parts,
        notes=careful.notes(),
    )


def _parse(
    blocks: Iterator[tuple[int, bytes]], form: TableFormat, *, use_fast_path: bool
) -> Iterator[tuple[int, bytes, list[Columns]]]:
    """Blocks without the header, and their columns if the fast path takes them."""
    for line, block in blocks:
        if form.has_header and line == 1:
            line, block = 2, block.partition(b"\n")[2]
        yield line, block, read_fast(block, form) if use_fast_path else []
