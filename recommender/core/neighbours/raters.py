"""What the k most similar raters of a movie gave it, exact, for many profiles and movies.

For a block of 64 profiles every dot product is computed once (``packed``) and kept. A movie with
few raters is answered by looking at each of them. For popular movies the most similar users are
sorted once for each profile and walked, best first, until k raters of the movie are found: as a
good share of all users are raters, few steps do. Where the walk ends too early, the raters are
looked at instead. Both ways give the same neighbours in the same order.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import local

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.compiling import kernel
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.lanes import WIDTH
from recommender.core.neighbours.levels import Levels, in_levels, workers
from recommender.core.neighbours.packed import (
    PIECE,
    Packed,
    fill,
    pack,
    panel,
    sums,
)
from recommender.core.neighbours.walk import (
    Model,
    Raters,
    all_dots,
    few_dots,
    grids_of_block,
    looks,
    pairs_of_block,
)
from recommender.core.ratings import Scale

# These steer speed and memory, never results.
POPULAR = 1_024  #: raters from which on a movie is answered by the walk
WALK = 8_192  #: about how many of the most similar users are sorted for it
MEMORY = 1 << 29  #: bytes of dot products that all threads together may keep

Block = Callable[[NDArray, NDArray, NDArray, NDArray], None]
Means = tuple[NDArray[np.float64], NDArray[np.float64]]


class RaterMeans:
    """Similarity-weighted means over the k most similar raters, by full-vector cosine.

    The same numbers, bit for bit, as ``means.NeighbourMeans`` with its defaults.
    """

    pairs_at_once = 50_000  # about a thousand profiles: blocks of 64 for many threads

    def __init__(
        self, profiles: Levels, n_movies: int, scale: Scale, k: int, threads: int | None = None
    ) -> None:
        self.k, self.scale = k, scale
        packed = pack(profiles, n_movies, threads)
        stars = (np.arange(256) * scale.step).astype(np.float32).astype(np.float64)
        self._model = Model(packed, profiles, _raters(packed, profiles), stars)
        self._threads = max(1, min(workers(threads), MEMORY // (4 * WIDTH * len(packed.user))))

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Means:
        """Mean stars and sum of similarities for each pair (rows[i], items[i]); 0 without rater.

        ``rows`` are positions in ``profiles``; ``own[row]`` is the training user whose profile
        it is, and who is not a neighbour.
        """
        order = np.argsort(rows, kind="stable")
        asked, first = np.unique(rows[order], return_index=True)
        edges, movies = np.append(first, len(rows)), items[order]
        total, weight = np.zeros(len(rows)), np.zeros(len(rows))

        def block(panel: NDArray, kept: NDArray, here: NDArray, squares: NDArray) -> None:
            pairs_of_block(
                self._model, panel, kept, squares, self.k, WALK,
                edges[here], edges[here + 1], movies, total, weight,
            )  # fmt: skip

        self._in_blocks(profiles, own, asked, block)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return _quotient(total, weight)[back], weight[back]

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Means:
        """The same for every profile and movie, each (profiles, movies)."""
        total, weight = np.zeros(profiles.shape), np.zeros(profiles.shape)

        def block(panel: NDArray, kept: NDArray, here: NDArray, squares: NDArray) -> None:
            grids_of_block(self._model, panel, kept, squares, self.k, WALK, here, total, weight)

        self._in_blocks(profiles, own, np.arange(profiles.shape[0]), block)
        return _quotient(total, weight), weight

    def _in_blocks(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        work: Block,
    ) -> None:
        """Call ``work(panel, dot products, positions in rows, squared norms)`` for all rows."""
        model, space = self._model, local()
        queries = in_levels(profiles, self.scale)
        if queries is None:
            raise ConfigurationError("The profiles are not on the scale of the model.")
        square = sums(queries, rows)[1].astype(np.float64)
        filled = np.flatnonzero(square > 0)
        size = max(1, min(WIDTH, -(-len(filled) // self._threads)))

        def block(first: int) -> None:
            if not hasattr(space, "panel"):
                space.panel = panel(len(model.packed.place))
                space.kept = np.empty((WIDTH, len(model.packed.user)), np.int32)
            here = filled[first : first + size]
            users = np.full(len(here), -1) if own is None else own[rows[here]]
            own_rows = np.where(users >= 0, model.packed.row[users], -1)
            fill(space.panel, model.packed.place, queries, rows[here], False)
            # measured: reading a rater costs what reading two movies of a piece does
            if 2 * looks(model.raters, queries, rows[here]) < PIECE * len(model.packed.level):
                few_dots(model.raters, queries, rows[here], own_rows, space.kept)
            else:
                all_dots(space.panel, model.packed, own_rows, space.kept)
            work(space.panel, space.kept, here, square[here])
            fill(space.panel, model.packed.place, queries, rows[here], True)

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(block, range(0, len(filled), size)))


def _raters(packed: Packed, profiles: Levels) -> Raters:
    counts = np.bincount(profiles.movies, minlength=len(packed.place))
    popular = counts > POPULAR
    raters = Raters(
        indptr=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        rows=np.empty(len(profiles.movies), np.int32),
        levels=np.empty(len(profiles.movies), np.uint8),
        line=np.where(popular, np.cumsum(popular) - 1, -1).astype(np.int32),
        bits=np.zeros((int(popular.sum()), len(packed.user) // 64 + 1), np.uint64),
    )
    _turn(packed.user, profiles, raters.indptr[:-1].copy(), raters)
    return raters


@kernel
def _turn(user: NDArray, profiles: Levels, end: NDArray, raters: Raters) -> None:
    """Fill rows, levels and bits; ``end`` holds where each movie's next rater goes."""
    for row in range(len(user)):
        for t in range(profiles.indptr[user[row]], profiles.indptr[user[row] + 1]):
            movie = profiles.movies[t]
            raters.rows[end[movie]] = row
            raters.levels[end[movie]] = profiles.levels[t]
            end[movie] += 1
            if raters.line[movie] >= 0:
                raters.bits[raters.line[movie], row >> 6] |= np.uint64(1) << np.uint64(row & 63)


def _quotient(total: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(total, weight, out=np.zeros(total.shape), where=weight > 0)
