"""Joins lines that belong together because a quoted field holds line ends, such as a review."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import starmap

#: More lines than this in one field are rather a quote that was never closed.
MOST_LINES = 1000


@dataclass
class LineJoiner:
    """Takes lines one by one and gives back each record with the number of its first line."""

    separator: str
    first: int = 0
    parts: list[bytes] = field(default_factory=list)  #: of a record whose quote is still open

    def feed(self, line: int, raw: bytes) -> tuple[int, bytes] | None:
        """The record that ends with this line, or None if it goes on."""
        if len(self.separator) > 1:  # no quotes
            return line, raw
        if self.parts:
            self.parts.append(raw)
            if b'"' not in raw and len(self.parts) < MOST_LINES:
                return None
            line, raw = self.first, b"\n".join(self.parts)
        if len(self.parts) < MOST_LINES and raw.count(b'"') % 2 and self._is_open(raw):
            self.first, self.parts = line, self.parts or [raw]
            return None
        self.parts = []
        return line, raw

    def rest(self) -> tuple[int, bytes] | None:
        """The record that is still open at the end of the file."""
        return (self.first, b"\n".join(self.parts)) if self.parts else None

    def join(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """All records of a file; the last one may have an open quote."""
        yield from filter(None, starmap(self.feed, lines))
        if rest := self.rest():
            yield rest

    def _is_open(self, raw: bytes) -> bool:
        # A quote within an unquoted field, as in 5" disk, opens nothing.
        try:
            next(csv.reader([raw.decode("latin-1")], delimiter=self.separator, strict=True))
        except csv.Error as error:
            return "unexpected end of data" in str(error)
        return False
