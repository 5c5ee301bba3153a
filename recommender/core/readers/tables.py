"""Reads a table of ratings block by block: on the fast path, or line by line if it must."""

from __future__ import annotations

from collections.abc import Iterator
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
    split_block,
)
from recommender.core.readers.careful_path import CarefulReader
from recommender.core.readers.columns import (
    Columns,
    IdColumn,
    Scales,
    TableFormat,
    TextIds,
    round_to_scale,
)
from recommender.core.readers.fast_path import read_fast

#: Below this size loading polars takes longer than reading line by line.
SMALL = 1 << 18
#: Bytes that the careful path takes at a time, because its Python objects are large.
PIECE = 8 << 20


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
) -> RatingsTable:
    """Read every rating of ``file``; SourceError at the first line that is not one.

    ``scale`` replaces the candidates of the format. A column of ids is read as whole numbers, and
    if an id is text, the file is read again with that column as text.
    """
    text: frozenset[int] = frozenset()
    while True:
        try:
            return _read(file, form, Scales([scale] if scale else form.scales), text, progress)
        except TextIds as found:
            text |= {found.column}


def _read(
    file: SourceFile,
    form: TableFormat,
    scales: Scales,
    text: frozenset[int],
    progress: OnRead,
) -> RatingsTable:
    careful = CarefulReader(file, form, scales, text)
    use_fast_path = file.size >= SMALL and not text
    users, items = (IdColumn(is_text=column in text) for column in (form.user, form.item))
    blocks: list[Columns] = []
    parts: list[tuple[int, int, list[int] | None]] = []
    rows = done = 0
    with closing(read_ahead(file.blocks())) as read:
        for line, block in read:
            done += len(block)
            if form.has_header and line == 1:
                line, block = 2, block.partition(b"\n")[2]
            fast = read_fast(block, form, scales) if use_fast_path else None
            pieces = [(line, fast)] if fast else _read_carefully(careful, block, line)
            for first, found in pieces:
                users.add(found.users)
                items.add(found.items)
                blocks.append(found)
                parts.append((rows, first, found.lines))
                rows += len(found.ratings)
            progress(done, file.size)
    progress(file.size, file.size)
    if not rows:
        problem = "has a header but no ratings" if form.has_header else "the file is empty"
        raise SourceError(problem, file=file.label, remedy="Name a file with ratings.")
    user_ids, user_positions = users.positions()
    item_ids, item_positions = items.positions()
    times = [block.times for block in blocks if block.times is not None]
    return RatingsTable(
        file=file,
        form=form,
        scale=scales.scale,
        user_ids=user_ids,
        item_ids=item_ids,
        users=user_positions,
        items=item_positions,
        values=np.concatenate([round_to_scale(block.ratings, scales.scale) for block in blocks]),
        timestamps=np.concatenate(times) if times else None,
        parts=parts,
    )


def _read_carefully(
    careful: CarefulReader, block: bytes, line: int
) -> Iterator[tuple[int, Columns]]:
    """Pairs of a line number and the columns from there on; SourceError at the first problem."""
    for first, piece in split_block(block, line, PIECE):
        found = careful.read(piece, first)
        if careful.problems:
            raise careful.problems[0]
        yield first, found
