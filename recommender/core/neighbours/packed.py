"""All profiles packed for 64 queries at a time, and the sums of products that everything rests on.

Ratings are whole levels, 1 to 15, so every dot product is an exact integer. 64 queries make a
panel (movies x 64 bytes): one row of it holds what each of them gave one movie. A profile of n
movies then costs about n additions of 64 bytes for all 64 dot products, with no scattered write:
its movies are stored in pieces of four of equal level, which are added as bytes, multiplied by
the level once, and summed in 16 and then 32 bits.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from recommender.core.compiling import kernel
from recommender.core.neighbours.lanes import (
    WIDTH,
    add,
    add_times,
    add_wide,
    load,
    zero_u16,
    zero_u32,
)
from recommender.core.neighbours.levels import HIGHEST, Levels, workers

PIECE = 4  #: movies of equal level added as bytes: 4 * 15 fits
TOGETHER = 64  #: pieces summed in 16 bits: 64 * 4 * 15 * 15 fits
TILE = 256  #: rows that a bound may skip together


class Packed(NamedTuple):
    """All profiles as rows in ascending order of their norm."""

    user: NDArray[np.int32]  #: row -> user position
    row: NDArray[np.int32]  #: user position -> row
    place: NDArray[np.int32]  #: movie -> row of a panel; the most rated come first, into cache
    start: NDArray[np.int64]  #: row -> its first piece (rows + 1)
    pieces: NDArray[np.integer]  #: (pieces, 4) rows of a panel; the last one, zeros, fills up
    level: NDArray[np.uint8]  #: of each piece
    square: NDArray[np.float64]  #: squared norm of each row: a whole number
    inverse: NDArray[np.float32]  #: 1 / norm; 0 for an empty profile
    tile_norm: NDArray[np.float64]  #: the smallest norm in each tile
    tile_total: NDArray[np.float64]  #: the largest sum of levels in each tile
    tile_reach: NDArray[np.float64]  #: the largest (sum of levels / norm) in each tile
    top: float  #: the highest level in these profiles


def pack(profiles: Levels, n_movies: int, threads: int | None = None) -> Packed:
    """Sort by norm and cut into pieces; 1.1 bytes x 2 for each rating at the paper's scale."""
    n_users = len(profiles.indptr) - 1
    total, square = sums(profiles, np.arange(n_users))
    user = np.argsort(square, kind="stable").astype(np.int32)
    row = np.empty_like(user)
    row[user] = np.arange(n_users, dtype=np.int32)
    place = np.empty(n_movies, np.int32)
    counts = np.bincount(profiles.movies, minlength=n_movies)
    place[np.argsort(-counts, kind="stable")] = np.arange(n_movies, dtype=np.int32)
    start = np.zeros(n_users + 1, np.int64)
    _count_pieces(profiles, user, start)
    short = n_movies < 1 << 16
    pieces = np.full((start[-1], PIECE), n_movies, np.uint16 if short else np.uint32)
    level = np.zeros(start[-1], np.uint8)
    edges = np.searchsorted(start, np.linspace(0, start[-1], 4 * workers(threads) + 1))
    edges[0], edges[-1] = 0, n_users

    def part(edge: tuple[int, int]) -> None:
        _fill_pieces(profiles, user, place, start, pieces, level, *edge)

    with ThreadPoolExecutor(workers(threads)) as pool:
        list(pool.map(part, pairwise(edges)))
    total, square = total[user], square[user].astype(np.float64)
    norm = np.sqrt(square)
    tiles = np.arange(0, n_users, TILE)
    reach = np.divide(total, norm, out=np.zeros(n_users), where=norm > 0)
    inverse = np.divide(1, norm, out=np.zeros(n_users), where=norm > 0)
    return Packed(
        user=user,
        row=row,
        place=place,
        start=start,
        pieces=pieces,
        level=level,
        square=square,
        inverse=inverse.astype(np.float32),
        tile_norm=norm[tiles],
        tile_total=np.maximum.reduceat(total, tiles).astype(np.float64),
        tile_reach=np.maximum.reduceat(reach, tiles),
        top=float(profiles.levels.max(initial=1)),
    )


def panel(n_movies: int) -> NDArray[np.uint8]:
    """Zeros (n_movies + 1, WIDTH) on a 64-byte boundary; its owner leaves them zero."""
    size = (n_movies + 1) * WIDTH
    raw = np.zeros(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].reshape(n_movies + 1, WIDTH)


@kernel
def sums(profiles: Levels, rows: NDArray) -> tuple[NDArray, NDArray]:
    """The sum of the levels, and of their squares, in each of the rows."""
    total, square = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
    for at, row in enumerate(rows):
        for t in range(profiles.indptr[row], profiles.indptr[row + 1]):
            level = np.int64(profiles.levels[t])
            total[at] += level
            square[at] += level * level
    return total, square


@kernel
def peaks(profiles: Levels, rows: NDArray) -> NDArray:
    """The highest level in each of the rows; 0 in an empty one."""
    highest = np.zeros(len(rows))
    for at, row in enumerate(rows):
        for t in range(profiles.indptr[row], profiles.indptr[row + 1]):
            highest[at] = max(highest[at], np.float64(profiles.levels[t]))
    return highest


@kernel
def fill(panel: NDArray, place: NDArray, queries: Levels, rows: NDArray, wipe: bool) -> None:
    """Write the queries ``rows`` into the lanes of a panel, or wipe them out again."""
    for lane, row in enumerate(rows):
        for t in range(queries.indptr[row], queries.indptr[row + 1]):
            panel[place[queries.movies[t]], lane] = 0 if wipe else queries.levels[t]


@numba.njit(inline="always")
def dots(panel, packed, row):  # type: ignore[no-untyped-def]
    """Lanes (u32): the dot product of every query of the panel with one row."""
    total = zero_u32()
    # unsigned, or numba tests every index for wrapping around in the innermost loop
    at, end = np.uint64(packed.start[row]), np.uint64(packed.start[row + 1])
    while at < end:
        stop = min(end, at + np.uint64(TOGETHER))
        part = zero_u16()
        while at < stop:
            a = load(panel, packed.pieces[at, np.uint64(0)])
            b = load(panel, packed.pieces[at, np.uint64(1)])
            c = load(panel, packed.pieces[at, np.uint64(2)])
            d = load(panel, packed.pieces[at, np.uint64(3)])
            part = add_times(part, add(add(a, b), add(c, d)), packed.level[at])
            at += np.uint64(1)
        total = add_wide(total, part)
    return total


@kernel
def overlap(panel: NDArray, lane: int, packed: Packed, row: int) -> int:
    """How many movies the query in ``lane`` shares with a row."""
    count = 0
    for t in range(packed.start[row], packed.start[row + 1]):
        for j in range(PIECE):
            count += panel[packed.pieces[t, j], lane] > 0
    return count


@kernel
def _count_pieces(profiles: Levels, user: NDArray, start: NDArray) -> None:
    count = np.zeros(HIGHEST + 1, np.int64)
    for row in range(len(user)):
        count[:] = 0
        for t in range(profiles.indptr[user[row]], profiles.indptr[user[row] + 1]):
            count[profiles.levels[t]] += 1
        start[row + 1] = start[row]
        for n in count:
            start[row + 1] += (n + PIECE - 1) // PIECE


@kernel
def _fill_pieces(
    profiles: Levels,
    user: NDArray,
    place: NDArray,
    start: NDArray,
    pieces: NDArray,
    level: NDArray,
    first: int,
    last: int,
) -> None:
    """The pieces of the rows ``first`` to ``last``, each row's in ascending order of level."""
    spot = np.zeros(HIGHEST + 1, np.int64)
    for row in range(first, last):
        begin, end = profiles.indptr[user[row]], profiles.indptr[user[row] + 1]
        spot[:] = 0
        for t in range(begin, end):
            spot[profiles.levels[t]] += 1
        piece = start[row]
        for value in range(HIGHEST + 1):
            n = (spot[value] + PIECE - 1) // PIECE
            spot[value] = piece * PIECE
            level[piece : piece + n] = value
            piece += n
        for t in range(begin, end):
            value = profiles.levels[t]
            pieces[spot[value] // PIECE, spot[value] % PIECE] = place[profiles.movies[t]]
            spot[value] += 1
