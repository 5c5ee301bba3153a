"""The training profiles, packed so that 64 queries are multiplied with each of them at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.compiling import kernel
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.fast.simd import WIDTH, add_rows, add_to_totals, zero_sums
from recommender.core.ratings import Scale

MAX_LEVEL = 15
PIECE = 4  #: items of equal level that are added as bytes: 4 * 15 < 2^8
RUN = 64  #: pieces that are summed in 16 bits: 64 * 4 * 15 * 15 < 2^16


class IntegerProfiles(NamedTuple):
    """CSR profiles with ratings as whole levels from 1 to 15: stars = level * step of the scale."""

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    levels: NDArray[np.uint8]


class PackedProfiles(NamedTuple):
    """Profiles cut into pieces of four items that the user rated alike."""

    place: NDArray[np.int32]  #: item -> row of a panel; popular items come first, into the cache
    start: NDArray[np.int64]  #: user -> first piece (n_users + 1)
    pieces: NDArray[np.unsignedinteger]  #: (n_pieces, 4) panel rows; the last one, of zeros, pads
    levels: NDArray[np.uint8]  #: (n_pieces,)
    squares: NDArray[np.float64]  #: (n_users,) squared norms in levels, which are whole numbers


class Best(NamedTuple):
    """Lists of the k best users found so far, best first, one behind the other: (lists * k,)."""

    users: NDArray[np.int32]
    keys: NDArray[np.float64]  #: dot^2 / |user|^2, which orders users as their cosines do
    overlaps: NDArray[np.int32]  #: items both rated; -1 until a tie needs it
    levels: NDArray[np.uint8]  #: what the user gave the item in question


def to_integer_profiles(matrix: csr_array, scale: Scale) -> IntegerProfiles | None:
    """The profiles (n, n_items; stars) as levels; None unless all are 1 to 15 whole steps."""
    lowest = scale.minimum / scale.step
    if abs(lowest - round(lowest)) > 1e-6 or round(scale.maximum / scale.step) > MAX_LEVEL:
        return None
    levels = np.rint(np.asarray(matrix.data) / scale.step)
    if not (levels.min(initial=1) >= 1 and levels.max(initial=1) <= MAX_LEVEL):  # also NaN
        return None
    # Kernels are compiled for writable arrays; memory-mapped ones may be read-only.
    indptr = np.require(matrix.indptr, np.int64, ["C", "W"])
    items = np.require(matrix.indices, np.int32, ["C", "W"])
    return IntegerProfiles(indptr, items, levels.astype(np.uint8))


def pack(profiles: IntegerProfiles, n_items: int) -> PackedProfiles:
    """Cut the profiles into pieces; about 2.5 bytes for each rating at the paper's scale."""
    popular_first = np.argsort(-np.bincount(profiles.items, minlength=n_items), kind="stable")
    place = np.empty(n_items, np.int32)
    place[popular_first] = np.arange(n_items, dtype=np.int32)
    start = _count_pieces(profiles)
    row_type = np.uint16 if n_items < 1 << 16 else np.uint32
    pieces = np.full((start[-1], PIECE), n_items, row_type)
    levels = np.zeros(start[-1], np.uint8)
    squares = np.zeros(len(start) - 1)
    _fill_pieces(profiles, place, start, pieces, levels, squares)
    return PackedProfiles(place, start, pieces, levels, squares)


@kernel
def new_best(size: int) -> Best:
    """Room for ``size`` users, in lists of any length."""
    return Best(
        np.full(size, -1, np.int32),
        np.zeros(size),
        np.empty(size, np.int32),
        np.empty(size, np.uint8),
    )


Work = Callable[[int, NDArray[np.uint8], NDArray[np.int64], NDArray[np.float64]], None]


def run_blocks(
    packed: PackedProfiles,
    profiles: csr_array,
    scale: Scale,
    rows: NDArray[np.int64],
    threads: int,
    work: Work,
) -> None:
    """Call ``work(thread, panel, rows, squares)`` for those ``rows`` of profiles, 64 at a time.

    ``panel`` (n_items + 1, 64) holds the levels of one query in each column, ``squares`` (64,) the
    squared norms of the queries. ConfigurationError for profiles off the model's scale or items.
    """
    queries = to_integer_profiles(profiles, scale)
    if queries is None or profiles.shape[1] != len(packed.place):
        raise ConfigurationError("The profiles are not on the scale and items of the model.")
    size = max(1, min(WIDTH, -(-len(rows) // threads)))

    def run(thread: int) -> None:
        for first in range(thread * size, len(rows), threads * size):
            here = rows[first : first + size]
            panel = _empty_panel(len(packed.place))
            work(thread, panel, here, _fill_panel(panel, packed.place, queries, here))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(run, range(threads)))


@kernel
def compute_dots(panel: NDArray, packed: PackedProfiles, user: int, totals: NDArray) -> None:
    """Write the dot products of the panel's queries with one user to ``totals`` (64,) uint32."""
    totals[:] = 0
    # Unsigned, because numba checks signed indices for counting from the end.
    at, end = np.uint64(packed.start[user]), np.uint64(packed.start[user + 1])
    while at < end:
        stop = min(end, at + np.uint64(RUN))
        sums = zero_sums()
        while at < stop:
            a, b = packed.pieces[at, np.uint64(0)], packed.pieces[at, np.uint64(1)]
            c, d = packed.pieces[at, np.uint64(2)], packed.pieces[at, np.uint64(3)]
            sums = add_rows(sums, panel, a, b, c, d, packed.levels[at])
            at += np.uint64(1)
        add_to_totals(totals, sums)


@kernel
def insert(
    best: Best, first: int, size: int, k: int, user: int, key: float, level: int,
    panel: NDArray, lane: int, packed: PackedProfiles,
) -> int:  # fmt: skip
    """Put a user where they belong in the list of ``size`` users at ``first``; the new size.

    The order is key, then overlap with the query in ``lane``, then position: users must come in
    ascending order of position. Lists are addressed by offset because slices are slow in numba.
    """
    at, shared = first + size, -1
    while at > first and key >= best.keys[at - 1]:
        if key == best.keys[at - 1]:
            if shared < 0:
                shared = _overlap(panel, lane, packed, user)
            if best.overlaps[at - 1] < 0:
                best.overlaps[at - 1] = _overlap(panel, lane, packed, best.users[at - 1])
            if shared <= best.overlaps[at - 1]:
                break
        at -= 1
    if at == first + k:
        return size
    size = min(size + 1, k)
    for t in range(first + size - 1, at, -1):
        best.users[t], best.keys[t] = best.users[t - 1], best.keys[t - 1]
        best.overlaps[t], best.levels[t] = best.overlaps[t - 1], best.levels[t - 1]
    best.users[at], best.keys[at] = user, key
    best.overlaps[at], best.levels[at] = shared, level
    return size


@kernel
def _overlap(panel: NDArray, lane: int, packed: PackedProfiles, user: int) -> int:
    """How many items the query in ``lane`` and the user both rated."""
    count = 0
    for at in range(packed.start[user], packed.start[user + 1]):
        for j in range(PIECE):
            count += panel[packed.pieces[at, j], lane] > 0
    return count


def _empty_panel(n_items: int) -> NDArray[np.uint8]:
    """Zeros (n_items + 1, 64); each row is one cache line, so it starts on a 64-byte boundary."""
    size = (n_items + 1) * WIDTH
    memory = np.zeros(size + WIDTH, np.uint8)
    start = -memory.ctypes.data % WIDTH
    return memory[start : start + size].reshape(n_items + 1, WIDTH)


@kernel
def _fill_panel(
    panel: NDArray, place: NDArray, queries: IntegerProfiles, rows: NDArray
) -> NDArray[np.float64]:
    """Write the queries into the columns of an empty panel; their squared norms (64,)."""
    squares = np.zeros(WIDTH)
    for lane, row in enumerate(rows):
        for t in range(queries.indptr[row], queries.indptr[row + 1]):
            panel[place[queries.items[t]], lane] = queries.levels[t]
            squares[lane] += np.float64(queries.levels[t]) ** 2
    return squares


@kernel
def _count_pieces(profiles: IntegerProfiles) -> NDArray[np.int64]:
    """The first piece of every user, and the number of all pieces (n_users + 1)."""
    start = np.zeros(len(profiles.indptr), np.int64)
    for user in range(len(start) - 1):
        counts = np.zeros(MAX_LEVEL + 1, np.int64)
        for t in range(profiles.indptr[user], profiles.indptr[user + 1]):
            counts[profiles.levels[t]] += 1
        start[user + 1] = start[user] + ((counts + PIECE - 1) // PIECE).sum()
    return start


@kernel
def _fill_pieces(
    profiles: IntegerProfiles,
    place: NDArray,
    start: NDArray,
    pieces: NDArray,
    levels: NDArray,
    squares: NDArray,
) -> None:
    """Write pieces, levels and squared norms; a user's pieces ascend by level."""
    for user in range(len(squares)):
        here = range(profiles.indptr[user], profiles.indptr[user + 1])
        spot = np.zeros(MAX_LEVEL + 1, np.int64)
        for t in here:
            spot[profiles.levels[t]] += 1
        piece = start[user]
        for level in range(MAX_LEVEL + 1):
            n_pieces = (spot[level] + PIECE - 1) // PIECE
            spot[level] = piece * PIECE
            levels[piece : piece + n_pieces] = level
            piece += n_pieces
        for t in here:
            level = profiles.levels[t]
            pieces[spot[level] // PIECE, spot[level] % PIECE] = place[profiles.items[t]]
            spot[level] += 1
            squares[user] += np.float64(level) ** 2
