"""Large files: read ahead, hashed and parsed at the same time, each block of plain lines by itself.

A block that holds anything else comes without columns, and ``table`` reads it as it always does.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.readers.columns import Layout, Tenths
from recommender.core.readers.members import AHEAD, EndlessLine, Member

#: bytes; below, loading the compiled code takes longer than it saves
LARGE = 64 << 20
#: more lines than the first block promises: lines become shorter too
SPARE = 1.02
#: bytes of a plain line at least
SHORTEST = len("1,2,3\n")
NEWLINE = np.uint8(ord("\n"))


@dataclass(frozen=True, eq=False)
class Plain:
    """The columns of a block of plain lines, in the file's order, and what else was noticed."""

    columns: list[Any]
    n_lines: int  #: the header's included
    stars: NDArray[np.float64]  #: the different ratings
    ascending: bool  #: whether users, then movies, strictly ascend


def is_compiled() -> bool:
    return find_spec("numba") is not None


def is_for(member: Member) -> bool:
    return member.size >= LARGE and is_compiled()


def read_ahead(
    member: Member, layout: Layout
) -> Generator[tuple[NDArray[np.uint8], Plain | None], None, None]:
    """Each block of the file as it stands and, where all its lines are plain, its columns.

    Its threads end with it: close it, whatever happens.
    """
    waiting: deque[tuple[NDArray[np.uint8], Future[Plain | None]]] = deque()
    skip, room = int(layout.has_header), Room(member.size)
    failure: Exception | None = None
    with ThreadPoolExecutor(os.cpu_count()) as pool, ThreadPoolExecutor(1) as hasher:
        blocks = member.raw_blocks(hasher=hasher)
        more = True
        while more or waiting:
            while more and len(waiting) < AHEAD:
                try:
                    block = next(blocks)
                except StopIteration:
                    more = False
                except (SourceError, EndlessLine) as error:
                    more, failure = False, error  # later: an earlier line may be wrong too
                else:
                    places = room.taken(block, skip)
                    waiting.append((block, pool.submit(parsed, block, layout, skip, places)))
                    skip = 0
            if waiting:
                block, future = waiting.popleft()
                yield block, future.result()
    if failure is not None:
        raise failure


class Room:
    """Memory for the columns of a whole file, block after block, so that ``joined`` copies nothing.

    How many lines there will be is guessed from the first block; what is never used costs nothing.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._columns: list[NDArray] = []
        self._used = 0
        self._ends = np.empty(0, np.bool_)

    def taken(self, block: NDArray[np.uint8], skip: int) -> list[NDArray]:
        """Places for users, items, tenths of stars and times of a block without ``skip`` lines."""
        if len(self._ends) < len(block):
            self._ends = np.empty(len(block), np.bool_)
        ends = np.equal(block, NEWLINE, out=self._ends[: len(block)])
        n = int(np.count_nonzero(ends)) + int(block[-1] != NEWLINE) - skip
        if not self._columns and n * SHORTEST <= len(block):
            self._columns = _empty(int(n * self._size / len(block) * SPARE) + n)
        start, end = self._used, self._used + n
        if not self._columns or end > len(self._columns[0]):
            return _empty(n)
        self._used = end
        return [column[start:end] for column in self._columns]


def _empty(n: int) -> list[NDArray]:
    return [np.empty(n, kind) for kind in (np.int32, np.int32, np.uint8, np.int64)]


def parsed(
    block: NDArray[np.uint8], layout: Layout, skip: int = 0, places: list[NDArray] | None = None
) -> Plain | None:
    """The columns of a block without its first ``skip`` (0 or 1) lines; None unless all are plain.

    Its ids are those that ``table`` would find, its stars the same to the last bit. ``places``
    are those that it is given by ``Room``.
    """
    from recommender.core.readers import kernels  # in the thread: its loading takes a while

    users, items, codes, times = places or Room(len(block)).taken(block, skip)
    n, seen = len(codes), np.zeros(256, np.bool_)
    text = block if block[-1] == NEWLINE else np.append(block, NEWLINE)
    text = text[np.argmax(text == NEWLINE) + 1 :] if skip else text
    stamp = -1 if layout.timestamp is None else layout.timestamp
    where = (layout.user, layout.item, layout.rating, stamp)
    separator, twice = np.uint8(ord(layout.separator[0])), len(layout.separator) == 2
    rows, ascending = kernels.parse(text, separator, twice, where, users, items, codes, times, seen)
    if rows != n:
        return None
    columns: list[Any] = [None] * len(layout.names)
    columns[layout.user], columns[layout.item] = users, items
    columns[layout.rating] = Tenths(codes)
    if layout.timestamp is not None:
        columns[layout.timestamp] = times
    return Plain(columns, n + skip, np.flatnonzero(seen) / 10, ascending)


def counted(
    keys: NDArray[np.int32], n_keys: int, before: NDArray[np.integer]
) -> NDArray[np.integer]:
    """The places of ``keys`` (n, below ``n_keys``) in ascending order, ties as in ``before``."""
    from recommender.core.readers import kernels

    starts = np.concatenate(([0], np.cumsum(np.bincount(keys, minlength=n_keys))))
    order = np.empty_like(before)
    kernels.stable_order(keys, before, starts, order)
    return order
