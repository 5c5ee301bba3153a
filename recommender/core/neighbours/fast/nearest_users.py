"""The k users nearest to each of many profiles, by full-vector cosine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.compiling import kernel
from recommender.core.neighbours.fast.packed_profiles import (
    Best,
    IntegerProfiles,
    PackedProfiles,
    compute_dots,
    insert,
    new_best,
    pack,
    run_blocks,
)
from recommender.core.neighbours.fast.simd import WIDTH
from recommender.core.neighbours.similarity import RankedUsers
from recommender.core.ratings import Scale

SLACK = 1e-6  #: relative, some times the rounding of the float32 test that precedes the exact one


class CompiledIndex:
    """The neighbours of ``UserIndex`` by full-vector cosine, bit for bit."""

    def __init__(self, profiles: IntegerProfiles, n_items: int, scale: Scale, threads: int) -> None:
        self.n_users, self.n_items = len(profiles.indptr) - 1, n_items
        self._scale, self._threads = scale, threads
        self._packed = pack(profiles, n_items)

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """As ``UserIndex.ranked``; ConfigurationError for profiles off the model's scale."""
        users, similarities = self.nearest(profiles, exclude, limit or self.n_users)
        for found, values in zip(users, similarities, strict=True):
            known = found >= 0
            yield RankedUsers(found[known].astype(np.int64), values[known])

    def nearest(
        self, profiles: csr_array, own: NDArray[np.int64] | None, k: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """The k nearest users of each profile (m, n_items; stars), and their cosines.

        Both are (m, min(k, n_users)), best first; user -1 with cosine 0 where fewer users share an
        item with the profile. ``own[row]`` is a user to leave out. Equal cosines are ordered by
        overlap, then user position. ConfigurationError for profiles off the model's scale.
        """
        shape = profiles.shape[0], min(k, self.n_users)
        own = np.full(shape[0], -1) if own is None else own
        users, similarities = np.full(shape, -1, np.int32), np.zeros(shape)

        def work(
            thread: int, panel: NDArray, rows: NDArray[np.int64], squares: NDArray[np.float64]
        ) -> None:
            best = new_best(len(rows) * shape[1])
            _search(panel, self._packed, own[rows], shape[1], best)
            users[rows] = best.users.reshape(-1, shape[1])
            keys = best.keys.reshape(-1, shape[1])
            below = np.maximum(squares[: len(rows), None], 1)  # an empty profile has keys of 0
            similarities[rows] = np.minimum(np.sqrt(keys / below), 1)

        every = np.arange(shape[0])
        run_blocks(self._packed, profiles, self._scale, every, self._threads, work)
        return users, similarities


@kernel
def _search(panel: NDArray, packed: PackedProfiles, own: NDArray, k: int, best: Best) -> None:
    """Fill ``best`` with one list of k users for each query."""
    sizes = np.zeros(len(own), np.int64)
    bounds = np.full(WIDTH, np.inf, np.float32)  # no key reaches that of an unused lane
    bounds[: len(own)] = 1e-30  # a neighbour has a key above zero
    dots = np.empty(WIDTH, np.uint32)
    for user in range(len(packed.squares)):
        compute_dots(panel, packed, user, dots)
        inverse = np.float32(1 / max(packed.squares[user], 1.0))
        some = False
        for lane in range(WIDTH):  # vectorised: a loop without branches
            dot = np.float32(dots[lane])
            some |= dot * dot * inverse >= bounds[lane]
        if not some:
            continue
        for lane in range(len(own)):
            dot = np.float32(dots[lane])
            if dot * dot * inverse >= bounds[lane] and user != own[lane]:
                key = np.float64(dots[lane]) ** 2 / packed.squares[user]
                sizes[lane] = insert(
                    best, lane * k, sizes[lane], k, user, key, 0, panel, lane, packed
                )
                if sizes[lane] == k:
                    bounds[lane] = best.keys[lane * k + k - 1] * (1 - SLACK)
