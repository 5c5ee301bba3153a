"""Exact nearest users of many profiles, by dot product or cosine, on all cores.

64 queries at a time are compared with everybody (``packed``). A float32 test on all 64 lanes at
once lets through what may enter a list, about 50 rows for each query; those are ordered exactly.
Rows come sorted by norm, and whole tiles are skipped where a bound shows that nobody in them can
enter any list. The order (similarity, overlap, user position) is total, so neither threads nor
blocks nor the order of the rows can change the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recommender.core.compiling import kernel
from recommender.core.neighbours.lanes import WIDTH, at_least, lowest_bit, store
from recommender.core.neighbours.levels import Levels, Nearest, cosines, workers
from recommender.core.neighbours.packed import (
    TILE,
    Packed,
    dots,
    fill,
    overlap,
    panel,
    peaks,
    sums,
)
from recommender.core.systems import Progress, ignore_progress

CLOSE = 1e-6  #: what the float32 test lets through: relative, some ten times its rounding


class Lists(NamedTuple):
    """For each lane the best rows so far, best first."""

    size: NDArray[np.int64]  #: (WIDTH,)
    rows: NDArray[np.int32]  #: (WIDTH, k)
    keys: NDArray[np.float64]  #: what orders them: dot^2 / |v|^2, or dot
    overlaps: NDArray[np.int32]  #: counted only where keys are equal; -1: not yet


def nearest(
    packed: Packed,
    queries: Levels,
    rows: NDArray[np.int64],
    k: int,
    *,
    own: NDArray[np.int64] | None = None,
    cosine: bool = True,
    threads: int | None = None,
    progress: Callable[[Progress], None] = ignore_progress,
) -> Nearest:
    """The k nearest users of each of the ``rows`` of ``queries``.

    ``own`` (one for each of the rows): a user position that is not to be found; default: the row
    itself, for queries that are the packed profiles; -1 for nobody. Cosines count a missing
    rating as zero. Equal keys (``dot^2 / |v|^2`` or ``dot``, both rounded once from integers)
    are ordered by overlap, then user position. ``progress`` may raise to stop.
    """
    own = rows if own is None else own
    total, square = (part.astype(np.float64) for part in sums(queries, rows))
    norms, highest = np.sqrt(square), peaks(queries, rows)
    users = np.full((len(rows), k), -1, np.int32)
    similarities = np.zeros((len(rows), k))
    space = local()
    order = np.argsort(norms, kind="stable")  # alike norms together: more tiles can be skipped

    def block(first: int) -> int:
        here = order[first : first + WIDTH]
        if not hasattr(space, "panel"):
            space.panel = panel(len(packed.place))
        fill(space.panel, packed.place, queries, rows[here], False)
        lists = Lists(
            size=np.zeros(WIDTH, np.int64),
            rows=np.zeros((WIDTH, k), np.int32),
            keys=np.zeros((WIDTH, k)),
            overlaps=np.zeros((WIDTH, k), np.int32),
        )
        visited: int = _search(
            space.panel, packed, own[here], norms[here], total[here], highest[here], cosine, lists
        )
        fill(space.panel, packed.place, queries, rows[here], True)
        found, keys = lists.rows[: len(here)], lists.keys[: len(here)]
        filled = np.arange(k) < lists.size[: len(here), None]
        users[here] = np.where(filled, packed.user[found], -1)
        found_here = cosines(keys, square[here]) if cosine else keys
        similarities[here] = np.where(filled, found_here, 0)
        return visited

    starts = range(0, len(rows), WIDTH)
    visited = 0
    with ThreadPoolExecutor(workers(threads)) as pool:
        parts = [pool.submit(block, first) for first in starts]
        try:
            for done, part in enumerate(parts):
                progress(Progress(phase="comparing", done=done * WIDTH, total=len(rows)))
                visited += part.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    read = max(len(packed.level) * len(starts), 1)
    return Nearest(users, similarities, visited / read)


@kernel
def _search(
    panel: NDArray,
    packed: Packed,
    own: NDArray,
    norms: NDArray,
    total: NDArray,
    highest: NDArray,
    cosine: bool,
    lists: Lists,
) -> int:
    """Fill the lists; how many pieces were read. Tiles alike in norm to the queries come first."""
    k = lists.rows.shape[1]
    lanes, tiles = len(own), len(packed.tile_norm)
    bounds = np.full(WIDTH, np.inf, np.float32)  # of lanes without query: nothing is enough
    bounds[:lanes] = 1e-30
    worst = np.where(norms > 0, 0.0, np.inf)  # the kth best, as dot / |v| or dot
    spill = np.empty((1, WIDTH), np.int32)
    visited = 0
    middle = min(np.searchsorted(packed.tile_norm, np.median(norms)), tiles - 1)
    below, above, up = middle - 1, middle, True
    while below >= 0 or above < tiles:
        up = above < tiles and (up or below < 0)
        tile = above if up else below
        if up:
            above += 1
        else:
            below -= 1
        up = not up
        if not _may_enter(tile, packed, norms, total, highest, cosine, worst):
            continue
        first, last = tile * TILE, min(len(packed.user), (tile + 1) * TILE)
        visited += packed.start[last] - packed.start[first]
        for row in range(first, last):
            found = dots(panel, packed, row)
            scale = packed.inverse[row] if cosine else np.float32(1)
            hits = at_least(found, scale, bounds)
            if hits == 0:
                continue
            store(spill, 0, found)
            while hits != 0:
                lane = lowest_bit(hits)
                hits &= hits - np.uint64(1)
                if packed.user[row] == own[lane]:
                    continue
                _enter(panel, lane, packed, row, np.float64(spill[0, lane]), cosine, lists)
                if lists.size[lane] == k:
                    key = lists.keys[lane, k - 1]
                    worst[lane] = np.sqrt(key) if cosine else key
                    bounds[lane] = worst[lane] * (1 - CLOSE)
    return visited


@kernel
def _may_enter(
    tile: int,
    packed: Packed,
    norms: NDArray,
    total: NDArray,
    highest: NDArray,
    cosine: bool,
    worst: NDArray,
) -> bool:
    """Whether anybody in the tile may be near enough to a query, or tie with its kth.

    A dot product is at most |u| |v|, and the highest level of one side times the sum of levels of
    the other. Queries may be of other people, whose levels go higher than those in the tiles.
    """
    for lane in range(len(norms)):
        if cosine:
            best = min(
                packed.top * total[lane] / max(packed.tile_norm[tile], 1e-9),
                highest[lane] * packed.tile_reach[tile],
            )
            best = min(best, norms[lane])
        else:
            best = min(packed.top * total[lane], highest[lane] * packed.tile_total[tile])
        if best * (1 + 1e-9) >= worst[lane]:
            return True
    return False


@kernel
def _enter(
    panel: NDArray, lane: int, packed: Packed, row: int, dot: float, cosine: bool, lists: Lists
) -> None:
    """Put a row into the list of ``lane`` where it belongs, if it does."""
    rows, keys, overlaps = lists.rows[lane], lists.keys[lane], lists.overlaps[lane]
    k, n = len(rows), lists.size[lane]
    key = dot * dot / packed.square[row] if cosine else dot
    shared = -1
    at = n
    while at > 0:
        other = rows[at - 1]
        if key < keys[at - 1]:
            break
        if key == keys[at - 1]:
            if shared < 0:
                shared = overlap(panel, lane, packed, row)
            if overlaps[at - 1] < 0:
                overlaps[at - 1] = overlap(panel, lane, packed, other)
            if shared < overlaps[at - 1]:
                break
            if shared == overlaps[at - 1] and packed.user[row] > packed.user[other]:
                break
        at -= 1
    if at >= k:
        return
    lists.size[lane] = min(n + 1, k)
    for t in range(min(n, k - 1), at, -1):
        rows[t], keys[t], overlaps[t] = rows[t - 1], keys[t - 1], overlaps[t - 1]
    rows[at], keys[at], overlaps[at] = row, key, shared
