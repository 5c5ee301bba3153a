"""Predictions from the k most similar users who rated the item, by full-vector cosine."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.compiling import kernel
from recommender.core.neighbours.fast.packed_profiles import (
    MAX_LEVEL,
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
from recommender.core.neighbours.predictions import Predicted
from recommender.core.ratings import Scale

MEMORY = 1 << 29  #: bytes that the dot products of all threads together may take
WALK = 8_192  #: most similar users whose profiles are read first; it changes the speed alone
SAMPLE = 32  #: one user in so many is sampled to find where the most similar begin


class Model(NamedTuple):
    """What a prediction is made of: the ratings by user, packed, and by item."""

    profiles: IntegerProfiles
    packed: PackedProfiles
    indptr: NDArray[np.int64]  #: (n_items + 1) of the next two
    raters: NDArray[np.int32]  #: the users who rated each item, in ascending order
    levels: NDArray[np.uint8]  #: what they gave it
    stars: NDArray[np.float64]  #: of each level


class Block(NamedTuple):
    """Up to 64 queries that are answered together."""

    panel: NDArray[np.uint8]  #: (n_items + 1, 64)
    dots: NDArray[np.uint32]  #: (64, n_users) room for their dot products
    rows: NDArray[np.int64]  #: (queries,) their rows in the profiles
    own: NDArray[np.int64]  #: (queries,) the users they are of; -1 for other people
    squares: NDArray[np.float64]  #: (64,) their squared norms


class CompiledPredictor:
    """The numbers of ``PlainPredictor`` with its default configuration and any k, bit for bit."""

    pairs_at_once = 50_000  # about a thousand profiles: enough blocks of 64 for many threads

    def __init__(
        self, profiles: IntegerProfiles, n_items: int, scale: Scale, k: int, threads: int
    ) -> None:
        shape = len(profiles.indptr) - 1, n_items
        by_item = csr_array((profiles.levels, profiles.items, profiles.indptr), shape).tocsc()
        self._model = Model(
            profiles,
            pack(profiles, n_items),
            by_item.indptr.astype(np.int64),
            by_item.indices.astype(np.int32),
            by_item.data,
            # Stars are float32 in the matrix, so they are rounded like that here.
            (np.arange(MAX_LEVEL + 1) * scale.step).astype(np.float32).astype(np.float64),
        )
        self._k, self._scale = k, scale
        self._threads = max(1, min(threads, MEMORY // (4 * WIDTH * max(1, shape[0]))))

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Predicted:
        """As ``PlainPredictor.pairs``; ConfigurationError for profiles off the model's scale."""
        order = np.argsort(rows, kind="stable")
        edges = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=profiles.shape[0]))))
        stars, weight = np.zeros(len(rows)), np.zeros(len(rows))
        self._run(
            _predict_pairs, profiles, own, np.unique(rows), edges, items, order, stars, weight
        )
        return stars, weight

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Predicted:
        """As ``PlainPredictor.grid``; ConfigurationError for profiles off the model's scale."""
        stars, weight = np.zeros(profiles.shape), np.zeros(profiles.shape)
        self._run(_predict_grid, profiles, own, np.arange(len(stars)), WALK, stars, weight)
        return stars, weight

    def _run(
        self,
        predict: Callable[..., None],
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        *arguments: NDArray | int,
    ) -> None:
        """Call ``predict`` for the ``rows`` of the profiles in blocks; empty ones have no stars."""
        rows = rows[np.diff(profiles.indptr)[rows] > 0]
        own = np.full(profiles.shape[0], -1) if own is None else own
        # Uninitialised, so the system gives memory to the threads that use theirs alone.
        dots = np.empty((self._threads, WIDTH, len(self._model.packed.squares)), np.uint32)

        def work(
            thread: int, panel: NDArray, here: NDArray[np.int64], squares: NDArray[np.float64]
        ) -> None:
            block = Block(panel, dots[thread], here, own[here], squares)
            predict(self._model, block, self._k, *arguments)

        run_blocks(self._model.packed, profiles, self._scale, rows, self._threads, work)


@kernel
def _predict_pairs(
    model: Model,
    block: Block,
    k: int,
    edges: NDArray,
    items: NDArray,
    order: NDArray,
    stars: NDArray,
    weight: NDArray,
) -> None:
    """Predict the pairs ``order[edges[row] : edges[row + 1]]`` of each row, item by item."""
    packed = model.packed
    _fill_dots(block, packed)
    best, keys = new_best(k), np.empty(len(packed.squares))
    for lane, row in enumerate(block.rows):
        _fill_keys(keys, block, lane, packed)
        for pair in order[edges[row] : edges[row + 1]]:
            n = _go_through_raters(model, block, lane, keys, items[pair], best, 0, k)
            stars[pair], weight[pair] = _mean(model, block.squares[lane], best, 0, n)


@kernel
def _predict_grid(
    model: Model, block: Block, k: int, walk: int, stars: NDArray, weight: NDArray
) -> None:
    """Predict all items of each row.

    Going through the profiles of the most similar users finds the k raters of most popular items
    at once, because no other user is nearer. Only the raters of the other items are searched.
    """
    packed, profiles, n_items = model.packed, model.profiles, stars.shape[1]
    _fill_dots(block, packed)
    best, keys = new_best(k * n_items), np.empty(len(packed.squares))
    for lane, row in enumerate(block.rows):
        _fill_keys(keys, block, lane, packed)
        sizes = np.zeros(n_items, np.int64)
        for user in _most_similar(keys, walk):
            for t in range(profiles.indptr[user], profiles.indptr[user + 1]):
                item, level = profiles.items[t], profiles.levels[t]
                last = item * k + k - 1
                if sizes[item] < k or keys[user] == best.keys[last]:
                    sizes[item] = insert(
                        best, item * k, sizes[item], k, user, keys[user], level,
                        block.panel, lane, packed,
                    )  # fmt: skip
        for item, n in enumerate(sizes):
            if n < k:
                n = _go_through_raters(model, block, lane, keys, item, best, item * k, k)
            stars[row, item], weight[row, item] = _mean(
                model, block.squares[lane], best, item * k, n
            )


@kernel
def _most_similar(keys: NDArray, wanted: int) -> NDArray[np.int64]:
    """About ``wanted`` users, nearest first; users with equal keys are all in or all out."""
    sample = keys[::SAMPLE].copy()
    at = max(0, len(sample) - 1 - wanted // SAMPLE)
    bound = np.partition(sample, at)[at]
    near = np.flatnonzero(keys > bound)
    return near[np.argsort(-keys[near], kind="mergesort")]


@kernel
def _go_through_raters(
    model: Model,
    block: Block,
    lane: int,
    keys: NDArray,
    item: int,
    best: Best,
    first: int,
    k: int,
) -> int:
    """Put the k most similar raters of an item into ``best`` at ``first``; how many there are."""
    n, bound = 0, 0.0
    for t in range(model.indptr[item], model.indptr[item + 1]):
        user = model.raters[t]
        key, level = keys[user], model.levels[t]
        if key > 0 and key >= bound:
            n = insert(best, first, n, k, user, key, level, block.panel, lane, model.packed)
            bound = best.keys[first + k - 1] if n == k else 0.0
    return n


@kernel
def _fill_dots(block: Block, packed: PackedProfiles) -> None:
    """Write the dot products of the queries with all users to ``block.dots``."""
    n_users, at_once = len(packed.squares), 16  # a cache line of each row of ``dots``
    batch = np.empty((at_once, WIDTH), np.uint32)
    for start in range(0, n_users, at_once):
        n = min(at_once, n_users - start)
        for i in range(n):
            compute_dots(block.panel, packed, start + i, batch[i])
        for lane in range(len(block.rows)):
            for i in range(n):
                block.dots[lane, start + i] = batch[i, lane]


@kernel
def _fill_keys(keys: NDArray, block: Block, lane: int, packed: PackedProfiles) -> None:
    """Write ``dot^2 / |user|^2`` of every user, and 0 for the owner of the query."""
    for user in range(len(keys)):  # vectorised: a loop without branches
        dot = np.float64(block.dots[lane, user])
        keys[user] = dot * dot / max(packed.squares[user], 1.0)
    if block.own[lane] >= 0:
        keys[block.own[lane]] = 0


@kernel
def _mean(model: Model, square: float, best: Best, first: int, n: int) -> tuple[float, float]:
    """The mean stars of the n users at ``first``, weighted by similarity, and their similarity."""
    total = weight = 0.0
    for t in range(first, first + n):  # nearest first: sums are rounded as in the plain form
        similarity = min(np.sqrt(best.keys[t] / square), 1.0)
        total += similarity * model.stars[best.levels[t]]
        weight += similarity
    return (total / weight if n else 0.0), weight
