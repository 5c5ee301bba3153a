"""Nearest users by k-d tree or ball tree (paper, section II): exact, and rarely worth it.

A tree leaves out whole groups of users whose distance has a lower bound beyond the k nearest so
far. In as many dimensions as there are movies the bounds hardly ever reach that far, so nearly
everybody is visited: ``visited`` tells the share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.similarity import (
    DECIMALS,
    RankedUsers,
    in_units,
    order,
    square_sums,
    unit_of,
)
from recommender.core.ratings import Scale
from recommender.core.systems import UserKNNConfig

MEMORY = 1 << 30  #: bytes that the points of a tree may take
LEAF = 32  #: users at most that are visited together
DIMENSIONS = 64  #: of the projection, where whole profiles do not fit
FEWEST_DIMENSIONS = 8
ROUNDING = 1e-9  #: of squared distances


@dataclass(frozen=True, eq=False)
class Node:
    """The users ``first`` to ``last`` in the tree's order; a leaf has no parts."""

    first: int
    last: int
    low: NDArray[np.float64]  #: corners of the box around their points
    high: NDArray[np.float64]
    centre: NDArray[np.float64]
    radius: float
    parts: tuple[Node, ...]


class TreeIndex:
    """The k nearest users by full-vector cosine, with the order of ``UserIndex``.

    Profiles of length one stand at the distance ``sqrt(2 - 2 cosine)``. The tree holds them as
    they are where that fits into memory, else their orthonormal projection with what it leaves
    over as one more coordinate: distances there are never larger than the true ones. So it only
    rules out; whoever is left is compared exactly.
    """

    def __init__(self, matrix: csr_array, scale: Scale, config: UserKNNConfig) -> None:
        self._ball, self._scale = config.search == "ball-tree", scale
        self._whole = unit_of(scale) > 0
        self.n_users, self.n_items = matrix.shape
        units = in_units(csr_array(matrix), scale)
        self._squares = square_sums(units)
        self._basis = self._projection(units)
        points = self._points(units, self._squares)
        self._users = np.arange(self.n_users)
        self._root = self._grown(points, 0, self.n_users)
        self._units = units[self._users]
        self._visits = self._asked = 0

    @property
    def visited(self) -> float:
        """The share of all users that a query was compared with, on average so far."""
        return self._visits / max(1, self._asked * self.n_users)

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """As ``UserIndex.ranked``."""
        units = in_units(profiles, self._scale)
        squares = square_sums(units)
        points = self._points(units, squares)
        for row in range(units.shape[0]):
            dense = np.zeros(self.n_items)
            here = slice(units.indptr[row], units.indptr[row + 1])
            dense[units.indices[here]] = units.data[here]
            own = -1 if exclude is None else int(exclude[row])
            yield self._search(points[row], dense, squares[row], own, limit or self.n_users)

    def _search(
        self, point: NDArray[np.float64], profile: NDArray, square: float, own: int, limit: int
    ) -> RankedUsers:
        """Visit leaves, nearest bound first, until no bound is nearer than the kth user."""
        self._asked += 1
        keys, found, shared = np.empty(0), np.empty(0, np.int64), np.empty(0)
        waiting = [(0.0, 0, self._root)]
        reach, number = 2.0, 0  # squared: who shares no movie stands at sqrt(2)
        while square and waiting and waiting[0][0] ** 2 <= reach + ROUNDING:
            _, _, node = heappop(waiting)
            for part in node.parts:
                number += 1
                heappush(waiting, (self._bound(point, part), number, part))
            if node.parts:
                continue
            self._visits += node.last - node.first
            rows, here = self._units[node.first : node.last], self._users[node.first : node.last]
            dots, overlaps = rows @ profile, (rows > 0) @ (profile > 0).astype(np.float64)
            near = (dots > 0) & (here != own)
            mine = self._keys(dots[near], self._squares[here[near]], square)
            keys, found = np.append(keys, mine), np.append(found, here[near])
            shared = np.append(shared, overlaps[near])
            if len(keys) >= limit:
                kept = keys >= np.partition(keys, -limit)[-limit]
                keys, found, shared = keys[kept], found[kept], shared[kept]
                reach = 2 - 2 * float(self._cosines(keys.min(), square))
        return order(found, keys, self._cosines(keys, square or 1), shared, limit)

    def _keys(self, dots: NDArray, squares: NDArray, square: float) -> NDArray[np.float64]:
        """What orders users, as in ``UserIndex``; real cosines count to twelve decimals."""
        if self._whole:
            return np.asarray(dots**2 / squares)
        return np.asarray(np.round(dots / np.sqrt(squares * square), DECIMALS))

    def _cosines(self, keys: NDArray, square: float) -> NDArray[np.float64]:
        return np.asarray(np.minimum(np.sqrt(keys / square) if self._whole else keys, 1.0))

    def _bound(self, point: NDArray[np.float64], node: Node) -> float:
        """No user of the node is nearer to the point than this."""
        if self._ball:
            return max(0.0, float(np.linalg.norm(point - node.centre)) - node.radius)
        outside = np.maximum(np.maximum(node.low - point, point - node.high), 0)
        return float(np.linalg.norm(outside))

    def _grown(self, points: NDArray[np.float64], first: int, last: int) -> Node:
        """The tree of these users, who are put into its order: split where they differ most."""
        here = self._users[first:last]
        mine = points[here]
        low, high, centre = mine.min(axis=0), mine.max(axis=0), mine.mean(axis=0)
        radius = float(np.sqrt(((mine - centre) ** 2).sum(axis=1).max()))
        parts: tuple[Node, ...] = ()
        if last - first > LEAF:
            middle = (last - first) // 2
            halves = np.argpartition(mine[:, np.argmax(mine.var(axis=0))], middle)
            self._users[first:last] = here[halves]
            edge = first + middle
            parts = self._grown(points, first, edge), self._grown(points, edge, last)
        return Node(first, last, low, high, centre, radius, parts)

    def _projection(self, units: csr_array) -> NDArray[np.float64] | None:
        """Orthonormal columns (movies x d) that keep most of the profiles; None: keep all."""
        room = MEMORY // (8 * max(1, self.n_users))
        if room >= self.n_items:
            return None
        d = min(DIMENSIONS, room)
        if d < FEWEST_DIMENSIONS:
            size = 8 * FEWEST_DIMENSIONS * self.n_users / 1e9
            raise ConfigurationError(
                f"A tree of {self.n_users} users takes {size:.1f} GB at least, and "
                f"{MEMORY / 1e9:.1f} GB is the limit. Choose search='blocks', which is as exact."
            )
        start = np.random.default_rng(0).standard_normal((self.n_items, d))
        spread = start
        for _ in range(2):  # subspace iteration: towards the directions in which profiles differ
            spread = np.linalg.qr(units.T @ (units @ spread))[0]
        return np.asarray(spread)

    def _points(self, units: csr_array, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        norms = np.sqrt(np.maximum(squares, 1e-300))[:, None]
        if self._basis is None:
            return np.asarray(units.toarray() / norms)
        points = (units @ self._basis) / norms
        left = np.sqrt(np.maximum(0, (squares > 0) - (points**2).sum(axis=1)))
        return np.column_stack([points, left])
