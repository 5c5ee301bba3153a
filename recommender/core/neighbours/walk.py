"""The compiled half of ``raters``: from 64 profiles to the k most similar raters of each movie."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.core.compiling import kernel
from recommender.core.neighbours.lanes import WIDTH, store, transpose_16
from recommender.core.neighbours.levels import Levels
from recommender.core.neighbours.packed import Packed, dots, overlap

SAMPLE = 32  #: one user in so many is looked at to choose where "most similar" begins
FEWEST = 1_024  #: users that a walk has at least, where there are so many
BATCH = 64  #: rows whose dot products are transposed together


class Raters(NamedTuple):
    """Who rated each movie, as rows of ``Packed`` in ascending order."""

    indptr: NDArray[np.int64]
    rows: NDArray[np.int32]
    levels: NDArray[np.uint8]
    line: NDArray[np.int32]  #: movie -> line of ``bits``, -1 for one that is not popular
    bits: NDArray[np.uint64]  #: (popular movies, words): whether a row rated it


class Model(NamedTuple):
    """All that is read here."""

    packed: Packed
    profiles: Levels
    raters: Raters
    stars: NDArray[np.float64]  #: of each level


class Query(NamedTuple):
    """One profile: where it stands, and how near every row is."""

    panel: NDArray[np.uint8]
    lane: int
    keys: NDArray[np.float64]  #: dot^2 / |v|^2 of every row v
    square: float  #: its squared norm


class Found(NamedTuple):
    """Raters of one movie, most similar first: row, level, dot^2 / |v|^2."""

    rows: NDArray[np.int32]
    levels: NDArray[np.uint8]
    keys: NDArray[np.float64]


@kernel
def all_dots(panel: NDArray, packed: Packed, own: NDArray, out: NDArray) -> None:
    """``out`` (WIDTH, users): the dot product of every lane and row; 0 with the row ``own``."""
    n = len(packed.user)
    batch = np.empty((BATCH, WIDTH), np.int32)
    for first in range(0, n, BATCH):
        count = min(n - first, BATCH)
        for t in range(count):
            store(batch, t, dots(panel, packed, first + t))
        whole = count // 16 * 16
        for lane in range(0, WIDTH, 16):
            for t in range(0, whole, 16):
                transpose_16(batch, t, lane, out, first + t)
        for lane in range(WIDTH):
            for t in range(whole, count):
                out[lane, first + t] = batch[t, lane]
    for lane, row in enumerate(own):
        if row >= 0:
            out[lane, row] = 0


@kernel
def few_dots(raters: Raters, queries: Levels, rows: NDArray, own: NDArray, out: NDArray) -> None:
    """The same by adding up the movies' raters: faster for a few small profiles."""
    for lane, row in enumerate(rows):
        line = out[lane]
        line[:] = 0
        for t in range(queries.indptr[row], queries.indptr[row + 1]):
            movie, level = queries.movies[t], np.int32(queries.levels[t])
            for s in range(raters.indptr[movie], raters.indptr[movie + 1]):
                line[raters.rows[s]] += level * raters.levels[s]
        if own[lane] >= 0:
            line[own[lane]] = 0


@kernel
def looks(raters: Raters, queries: Levels, rows: NDArray) -> int:
    """How many ratings ``few_dots`` would read."""
    count = 0
    for row in rows:
        for t in range(queries.indptr[row], queries.indptr[row + 1]):
            movie = queries.movies[t]
            count += raters.indptr[movie + 1] - raters.indptr[movie]
    return count


@kernel
def pairs_of_block(
    model: Model,
    panel: NDArray,
    kept: NDArray,
    squares: NDArray,
    k: int,
    walk: int,
    first: NDArray,
    last: NDArray,
    movies: NDArray,
    total: NDArray,
    weight: NDArray,
) -> None:
    """Lane l answers ``movies[first[l]:last[l]]``, into the same places of the results."""
    raters, users = model.raters, len(model.packed.user)
    room = np.empty(users)
    found = Found(np.empty(k, np.int32), np.empty(k, np.uint8), np.empty(k))
    for lane in range(len(squares)):
        query = _query(model.packed, panel, lane, kept[lane], room, squares[lane])
        # sorting pays where the popular movies have more raters than about half of everybody
        popular, rarest = 0, users
        for movie in movies[first[lane] : last[lane]]:
            if raters.line[movie] >= 0:
                count = raters.indptr[movie + 1] - raters.indptr[movie]
                popular, rarest = popular + count, min(rarest, count)
        sorts = popular > users // 2
        near = np.empty(0, np.int32)
        if sorts:
            wanted = max(FEWEST, min(walk, 2 * k * users // rarest))
            near = _most_similar(query, model.packed, wanted)
        for at in range(first[lane], last[lane]):
            movie, n = movies[at], 0
            if sorts and raters.line[movie] >= 0:
                n = _walked(model, query, near, movie, found)
            if n < k:
                n = _listed(model, query, movie, found)
            total[at], weight[at] = _sums(model, query, found, n)


@kernel
def grids_of_block(
    model: Model,
    panel: NDArray,
    kept: NDArray,
    squares: NDArray,
    k: int,
    walk: int,
    places: NDArray,
    total: NDArray,
    weight: NDArray,
) -> None:
    """Lane l answers every movie, into row ``places[l]`` of the results."""
    n_movies = len(model.raters.line)
    rows, levels = np.empty((n_movies, k), np.int32), np.empty((n_movies, k), np.uint8)
    keys, count = np.empty((n_movies, k)), np.empty(n_movies, np.int64)
    room = np.empty(len(model.packed.user))
    for lane in range(len(squares)):
        query = _query(model.packed, panel, lane, kept[lane], room, squares[lane])
        near, at = _most_similar(query, model.packed, walk), places[lane]
        _walk_all(model, query, near, rows, levels, keys, count)
        for movie in range(n_movies):
            found, n = Found(rows[movie], levels[movie], keys[movie]), count[movie]
            if n < k:
                n = _listed(model, query, movie, found)
            total[at, movie], weight[at, movie] = _sums(model, query, found, n)


@kernel
def _query(
    packed: Packed, panel: NDArray, lane: int, line: NDArray, keys: NDArray, square: float
) -> Query:
    """``line`` holds its dot products; ``keys`` is room for what it is filled with."""
    for row in range(len(line)):  # without branches: compiled to vectors
        dot = np.float64(line[row])
        keys[row] = dot * dot / max(packed.square[row], 1.0)
    return Query(panel, lane, keys, square)


@kernel
def _sums(model: Model, query: Query, found: Found, n: int) -> tuple[float, float]:
    """Stars times similarity, and similarity, summed nearest first."""
    total = weight = 0.0
    for t in range(n):
        similarity = min(np.sqrt(found.keys[t] / query.square), 1.0)
        total += similarity * model.stars[found.levels[t]]
        weight += similarity
    return total, weight


@kernel
def _before(query: Query, packed: Packed, row: int, other: int) -> bool:
    """Of two rows with the same key: larger overlap, then lower user position."""
    mine = overlap(query.panel, query.lane, packed, row)
    theirs = overlap(query.panel, query.lane, packed, other)
    return mine > theirs or (mine == theirs and packed.user[row] < packed.user[other])


@kernel
def _most_similar(query: Query, packed: Packed, wanted: int) -> NDArray:
    """The most similar rows, best first: all above a similarity that leaves about ``wanted``."""
    n = len(query.keys)
    sample = query.keys[::SAMPLE].copy()
    at = len(sample) - 1 - min(len(sample) - 1, wanted // SAMPLE)
    bound = np.partition(sample, at)[at]
    chosen, count = np.empty(n, np.int32), 0
    for first in range(0, n, 16):
        some = False
        for row in range(first, min(n, first + 16)):  # without branches: compiled to vectors
            some |= query.keys[row] > bound
        if some:
            for row in range(first, min(n, first + 16)):
                chosen[count] = row
                count += query.keys[row] > bound
    keys = query.keys[chosen[:count]]
    order = np.argsort(-keys, kind="mergesort")
    chosen, keys = chosen[order], keys[order]
    first = 0
    while first < count:
        last = first + 1
        while last < count and keys[last] == keys[first]:
            last += 1
        if last - first > 1:
            tied = chosen[first:last].copy()
            shared = np.empty(len(tied), np.int64)
            for t in range(len(tied)):
                shared[t] = overlap(query.panel, query.lane, packed, tied[t])
            chosen[first:last] = tied[np.argsort(packed.user[tied] - (shared << 32))]
        first = last
    return chosen


@kernel
def _walked(model: Model, query: Query, near: NDArray, movie: int, found: Found) -> int:
    """The first k raters of a popular movie among ``near``; how many there are."""
    bits, n = model.raters.bits[model.raters.line[movie]], 0
    for row in near:
        if (bits[row >> 6] >> np.uint64(row & 63)) & np.uint64(1):
            found.rows[n] = row
            found.levels[n] = _level(model.profiles, model.packed.user[row], movie)
            found.keys[n] = query.keys[row]
            n += 1
            if n == len(found.rows):
                break
    return n


@kernel
def _level(profiles: Levels, user: int, movie: int) -> int:
    """What the user gave a movie that is in the profile."""
    low, high = profiles.indptr[user], profiles.indptr[user + 1]
    while high - low > 1:
        middle = (low + high) >> 1
        if profiles.movies[middle] <= movie:
            low = middle
        else:
            high = middle
    return profiles.levels[low]


@kernel
def _walk_all(
    model: Model,
    query: Query,
    near: NDArray,
    rows: NDArray,
    levels: NDArray,
    keys: NDArray,
    count: NDArray,
) -> None:
    """The same for every movie at once; ``count`` of them were found."""
    profiles, k = model.profiles, rows.shape[1]
    count[:] = 0
    for row in near:
        user, key = model.packed.user[row], query.keys[row]
        for t in range(profiles.indptr[user], profiles.indptr[user + 1]):
            movie = profiles.movies[t]
            at = count[movie]
            if at < k:
                rows[movie, at], levels[movie, at] = row, profiles.levels[t]
                keys[movie, at] = key
                count[movie] = at + 1


@kernel
def _listed(model: Model, query: Query, movie: int, found: Found) -> int:
    """The k best of all raters of a movie; how many there are."""
    raters, packed = model.raters, model.packed
    k, n = len(found.rows), 0
    for t in range(raters.indptr[movie], raters.indptr[movie + 1]):
        row = raters.rows[t]
        key, at = query.keys[row], n
        if key == 0 or (n == k and key < found.keys[k - 1]):
            continue
        while at > 0 and (
            key > found.keys[at - 1]
            or (key == found.keys[at - 1] and _before(query, packed, row, found.rows[at - 1]))
        ):
            at -= 1
        if at == k:
            continue
        n = min(n + 1, k)
        for s in range(n - 1, at, -1):
            found.rows[s], found.levels[s] = found.rows[s - 1], found.levels[s - 1]
            found.keys[s] = found.keys[s - 1]
        found.rows[at], found.levels[at], found.keys[at] = row, raters.levels[t], key
    return n
