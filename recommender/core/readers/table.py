"""Ratings out of a delimited file: block by block with pandas, each fault at its line and field."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.readers import bulk
from recommender.core.readers.columns import (
    CONTROL,
    LARGEST_ID,
    LATEST,
    LONGEST_ID,
    NUMBER,
    WHOLE,
    Ids,
    Layout,
    Scales,
    Tenths,
    Texts,
    chained,
    is_id,
    on_levels,
)
from recommender.core.readers.members import BOM, EndlessLine, Member, count, count_controls
from recommender.core.readers.source import Progress

#: stands for "::" while pandas splits the line, as its fast parser knows single characters only
UNIT = b"\x1f"
#: a quote within a field, where pandas is more lenient than a strict reader
ODD_QUOTE = re.compile(rb'(?<=[^,\n])"(?=[^,\r\n])')


class _NotWhole(Exception):
    """An id column that seemed to hold whole numbers does not; it is read again as text."""

    def __init__(self, column: int) -> None:
        super().__init__(column)
        self.column = column


@dataclass
class Table:
    """The ratings of one file, in its order. Positions are places in the ascending ids."""

    member: Member
    layout: Layout
    user_ids: NDArray
    item_ids: NDArray
    items: NDArray[np.int32]
    values: NDArray[np.float32]  #: levels of the scale
    timestamps: NDArray[np.int64] | None
    #: where each user's ratings begin, and the end; None unless the file is known to be sorted by
    #: user, then movie, without repetition
    indptr: NDArray[np.int64] | None
    _users: NDArray[np.int32] | None
    _lines: list[tuple[int, int, list[int] | None]]

    @cached_property
    def users(self) -> NDArray[np.int32]:
        if self._users is not None or self.indptr is None:
            return np.asarray(self._users)
        return np.repeat(np.arange(len(self.user_ids), dtype=np.int32), np.diff(self.indptr))

    def line_of(self, row: int) -> int:
        """The line of the file that the rating at ``row`` stands on."""
        first_row, first_line, numbers = next(
            part for part in reversed(self._lines) if part[0] <= row
        )
        return first_line + row - first_row if numbers is None else numbers[row - first_row]

    def fault(self, row: int, column: int, problem: str, remedy: str) -> SourceError:
        return SourceError(
            problem,
            file=self.member.label,
            line=self.line_of(row),
            field=self.layout.names[column],
            remedy=remedy,
        )


def read_table(member: Member, layout: Layout, scales: Scales, progress: Progress) -> Table:
    """Every rating of ``member``; SourceError at the first line that is not one.

    ``scales`` is narrowed to those that fit. Memory: the columns, and one block of text.
    """
    text: set[int] = set()
    candidates = list(scales.left)
    while True:
        scales.left = list(candidates)
        try:
            return _Reading(member, layout, scales, text, progress).table()
        except _NotWhole as found:
            text.add(found.column)


class _Part(NamedTuple):
    """The ratings of one block."""

    layout: Layout
    size: int  #: bytes
    line: int  #: the first line
    columns: list[Any]
    numbers: list[int] | None  #: of the lines, where some are blank
    ascending: bool

    def pair(self, row: int) -> tuple[int, int]:
        users, items = self.columns[self.layout.user], self.columns[self.layout.item]
        return int(users[row]), int(items[row])


@dataclass
class _Reading:
    """One pass over the file, with the id columns in ``text`` taken as text."""

    member: Member
    layout: Layout
    scales: Scales
    text: set[int]
    progress: Progress
    lines: list[tuple[int, int, list[int] | None]] = field(default_factory=list)

    def table(self) -> Table:
        layout = self.layout
        users, items = (Ids(text=column in self.text) for column in (layout.user, layout.item))
        stars: list[NDArray[np.float64] | Tenths] = []
        times: list[NDArray[np.int64]] = []
        rows = done = 0
        ascending, former = True, (-1, -1)
        with closing(self._parts()) as parts:
            for part in parts:
                done += part.size
                columns = part.columns
                if n := len(columns[layout.rating]):
                    self.lines.append((rows, part.line, part.numbers))
                    rows += n
                    users.add(columns[layout.user])
                    items.add(columns[layout.item])
                    stars.append(columns[layout.rating])
                    if layout.timestamp is not None:
                        times.append(columns[layout.timestamp])
                    if ascending := ascending and part.ascending:
                        ascending, former = part.pair(0) > former, part.pair(-1)
                self.progress(done, self.member.size)
        self.progress(self.member.size, self.member.size)
        if not rows:
            headed = done or layout.has_header
            problem = "there is a header but no rating" if headed else "the file is empty"
            raise SourceError(problem, file=self.member.label, remedy="Name a file with ratings.")
        user_positions = indptr = None
        if ascending:
            user_ids, indptr = users.runs()
        else:
            user_ids, user_positions = users.positions()
        item_ids, item_positions = items.positions()
        return Table(
            member=self.member,
            layout=layout,
            user_ids=user_ids,
            item_ids=item_ids,
            items=item_positions,
            values=on_levels(stars, self.scales.scale),
            timestamps=chained(times, np.int64) if times else None,
            indptr=indptr,
            _users=user_positions,
            _lines=self.lines,
        )

    def _parts(self) -> Generator[_Part, None, None]:
        """The file block by block; the plain blocks of a large one as compiled code read them."""
        layout, line = self.layout, 1
        numbers: list[int] | None
        large = not self.text and bulk.is_for(self.member)
        read = bulk.read_ahead(self.member, layout) if large else self._one_by_one()
        # closed at once, not when memory is tidied up: there may be threads behind it
        with closing(read) as blocks:
            try:
                for raw, plain in blocks:
                    numbers, first = None, line + (line == 1 and layout.has_header)
                    if plain is not None and self.scales.accept(plain.stars):
                        line += plain.n_lines
                        columns, ascending = plain.columns, plain.ascending
                    else:
                        whole = raw.tobytes()
                        block = self.member.checked(whole, line)
                        block = block.partition(b"\n")[2] if first > line else block
                        line += count(whole, b"\n")
                        if not block:
                            continue
                        columns, numbers = self._checked(block, first)
                        ascending = self._ascend(columns)
                    yield _Part(layout, len(raw), first, columns, numbers, ascending)
            except EndlessLine:
                raise self.member.endless(line) from None

    def _one_by_one(self) -> Generator[tuple[NDArray[np.uint8], bulk.Plain | None], None, None]:
        for block in self.member.raw_blocks():
            yield block, None

    def _checked(self, block: bytes, line: int) -> tuple[list[Any], list[int] | None]:
        columns = self._fast(block)
        return self._slow(block, line) if columns is None else (columns, None)

    def _ascend(self, columns: list[Any]) -> bool:
        if self.text:
            return False
        users, items = columns[self.layout.user], columns[self.layout.item]
        same = users[1:] == users[:-1]
        return bool(np.all((users[1:] > users[:-1]) | (same & (items[1:] > items[:-1]))))

    # -- the fast way: pandas parses, arithmetic on whole columns checks ------------------------

    def _fast(self, block: bytes) -> list[Any] | None:
        """The columns of a block without any fault or oddity, else None."""
        import pandas as pd

        layout = self.layout
        separator = layout.separator.encode()
        ends, separators = count(block, b"\n"), count(block, separator)
        n_lines = ends + (not block.endswith(b"\n"))
        controls = ends + (b"\r" in block and count(block, b"\r\n"))
        controls += separators if layout.separator == "\t" else 0
        if (
            separators != n_lines * (len(layout.names) - 1)
            or count_controls(block) != controls
            or block.startswith(BOM)  # which pandas would silently take off
            or (b'"' in block and ODD_QUOTE.search(block))
            or (self.text and not _is_utf8(block))
        ):
            return None
        if len(separator) > 1:
            block, separator = block.replace(separator, UNIT), UNIT
        # Whole numbers are left to pandas to infer: told to, it would also take 4.0 for 4.
        kinds: dict[int, str] = {layout.rating: "float64"} | dict.fromkeys(self.text, "str")
        try:
            frame = pd.read_csv(
                io.BytesIO(block),
                sep=separator.decode(),
                header=None,
                names=range(len(layout.names)),
                dtype=kinds,
                na_filter=False,
                low_memory=False,
                quoting=csv.QUOTE_MINIMAL if layout.separator == "," else csv.QUOTE_NONE,
            )
        except (ValueError, TypeError, OverflowError):
            return None
        if len(frame) != n_lines:
            return None
        columns = [
            Texts.of(frame[name].to_numpy(object)) if name in self.text else frame[name].to_numpy()
            for name in frame
        ]
        return columns if self._sound(columns) else None

    def _sound(self, columns: list[Any]) -> bool:
        layout = self.layout
        for column, values in enumerate(columns):
            if column == layout.rating:
                continue
            if column in self.text:
                if not all(map(is_id, values.different)):
                    return False
                continue
            largest = LATEST if column == layout.timestamp else LARGEST_ID
            if values.dtype != np.int64 or values.min() < 0 or values.max() > largest:
                return False
        return self.scales.accept(columns[layout.rating])

    # -- the careful way: line by line, to find the fault or to take what pandas would not -------

    def _slow(self, block: bytes, first_line: int) -> tuple[list[Any], list[int]]:
        layout = self.layout
        records = list(self._records(block, first_line))
        numbers = [line for line, _ in records]
        columns: list[Any] = []
        for column in range(len(layout.names)):
            values = [record[column] for _, record in records]
            if column in self.text:
                columns.append(Texts.of(np.array(values, np.object_)))
            else:
                kind = np.float64 if column == layout.rating else np.int64
                columns.append(np.array(values, kind))
        return columns, numbers

    def _records(self, block: bytes, first_line: int) -> Iterator[tuple[int, list[Any]]]:
        for line, raw in enumerate(block.split(b"\n"), first_line):
            raw = raw.removesuffix(b"\r")
            if raw.strip():
                yield line, self._record(raw, line)

    def _record(self, raw: bytes, line: int) -> list[Any]:
        layout = self.layout
        try:
            text = raw.decode("utf-8")
            if odd := CONTROL.search(text.replace("\t", " ")):
                problem = f"the control character {odd[0]!r}"
                self._refuse(line, None, problem, "Restore the file from its origin.")
            fields = layout.split(text)
        except UnicodeDecodeError as error:
            self._refuse(line, None, f"byte {error.start + 1} is not UTF-8", "Save it as UTF-8.")
        except csv.Error as error:
            problem = f"quotes that do not close on their line ({error})"
            self._refuse(line, None, problem, "Write each rating on one line.")
        if len(fields) != len(layout.names):
            expected = layout.separator.join(layout.names)
            problem = f"{len(fields)} fields instead of {len(layout.names)}"
            self._refuse(line, None, problem, f"Write {expected!r} on each line.")
        return [self._value(line, column, text.strip()) for column, text in enumerate(fields)]

    def _value(self, line: int, column: int, text: str) -> Any:
        if column == self.layout.rating:
            return self._stars(line, column, text)
        if column == self.layout.timestamp:
            return self._seconds(line, column, text)
        if column in self.text:
            if not is_id(text):
                problem = f"{text[:40]!r} is no id: 1 to {LONGEST_ID} printable characters"
                self._refuse(line, column, problem, "Give the line an id.")
            return text
        if WHOLE.match(text) and len(text) < 30 and 0 <= int(text) <= LARGEST_ID:
            return int(text)
        if not self.layout.text_ids:
            problem = f"{text[:40]!r} is no whole number"
            self._refuse(line, column, problem, "Write the id in digits.")
        raise _NotWhole(column)

    def _stars(self, line: int, column: int, text: str) -> float:
        if not NUMBER.match(text):
            remedy = f"Write a number on the scale {self.scales.scale}."
            problem = "is empty" if not text else f"{text[:40]!r} is not a number"
            self._refuse(line, column, problem, remedy)
        value = float(text)
        if not self.scales.accept_one(value):
            known = " or ".join(map(str, self.scales.left))
            self._refuse(
                line,
                column,
                f"{text[:40]} is off the scale {known}",
                "Mend the rating, or name the scale: --scale MIN:MAX:STEP.",
            )
        return value

    def _seconds(self, line: int, column: int, text: str) -> int:
        remedy = "Write whole seconds since 1970-01-01 UTC."
        if not WHOLE.match(text):
            problem = "is empty" if not text else f"{text[:40]!r} is no whole number"
            self._refuse(line, column, problem, remedy)
        value = int(text) if len(text) < 30 else LATEST + 1
        if not 0 <= value <= LATEST:
            problem = f"{text[:40]} lies before 1970 or after the year 9999"
            self._refuse(line, column, problem, remedy)
        return value

    def _refuse(self, line: int, column: int | None, problem: str, remedy: str) -> NoReturn:
        name = None if column is None else self.layout.names[column]
        raise SourceError(problem, file=self.member.label, line=line, field=name, remedy=remedy)


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
