"""Nearest users by k-d tree or ball tree (paper, section II): exact, but rarely faster.

A tree skips groups of users that are certainly farther away than the k nearest found so far. With
one dimension for each item the bounds are weak, so nearly every user is visited.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.similarity import (
    DECIMALS,
    RankedUsers,
    order_users,
    square_sums,
    to_units,
    unit_of,
)
from recommender.core.ratings import Scale

MEMORY = 1 << 30  #: bytes that the points of a tree may take
LEAF = 32  #: most users in a leaf
DIMENSIONS = 64  #: of the projection, if whole profiles do not fit
MIN_DIMENSIONS = 8
ROUNDING = 1e-9  #: of squared distances


class TreeIndex:
    """The k nearest users by full-vector cosine, in the order of ``UserIndex``.

    Profiles of length one lie at the distance ``sqrt(2 - 2 cosine)``. The tree holds whole profiles
    if they fit into memory, otherwise their orthonormal projection with the length of the rest as
    one more coordinate. Projected distances are never larger than the true ones, so the tree only
    rules users out; the others are compared exactly. The bounds of all leaves are computed at once,
    so the inner nodes, which would only save bounds, are not kept.
    """

    def __init__(self, matrix: csr_array, scale: Scale, config: UserKNNConfig) -> None:
        """``matrix`` is (n_users, n_items) in stars. ConfigurationError if a tree does not fit."""
        self._scale, self._whole = scale, unit_of(scale) > 0
        self.n_users, self.n_items = matrix.shape
        self._units = to_units(csr_array(matrix), scale)
        self._squares = square_sums(self._units)
        self._basis = self._projection()
        points = self._points(self._units, self._squares)
        self._leaves = _split(points)
        self._boxes = config.search == "kd-tree"
        if self._boxes:  # the corners of the box around each leaf
            self._low = np.array([points[leaf].min(axis=0) for leaf in self._leaves])
            self._high = np.array([points[leaf].max(axis=0) for leaf in self._leaves])
        else:  # the ball around it
            self._centres = np.array([points[leaf].mean(axis=0) for leaf in self._leaves])
            self._radii = np.array(
                [
                    np.linalg.norm(points[leaf] - centre, axis=1).max()
                    for leaf, centre in zip(self._leaves, self._centres, strict=True)
                ]
            )
        self._visits = self._queries = 0

    @property
    def visited(self) -> float:
        """The share of users that a query was compared with exactly, on average so far."""
        return self._visits / max(1, self._queries * self.n_users)

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """As ``UserIndex.ranked``."""
        units = to_units(profiles, self._scale)
        squares = square_sums(units)
        points = self._points(units, squares)
        for row in range(units.shape[0]):
            own = -1 if exclude is None else int(exclude[row])
            yield self._search(
                points[row], units[[row]].toarray()[0], squares[row], own, limit or self.n_users
            )

    def _search(
        self, point: NDArray[np.float64], profile: NDArray, square: float, own: int, limit: int
    ) -> RankedUsers:
        """Visit leaves, nearest bound first, until no bound is nearer than the kth user."""
        self._queries += 1
        keys, users, overlaps = np.empty(0), np.empty(0, np.int64), np.empty(0)
        reach = 2.0 if square else -1.0  # squared distance of users who share no item
        bounds = self._bounds(point)
        for at in np.argsort(bounds):
            if bounds[at] ** 2 > reach + ROUNDING:
                break
            leaf = self._leaves[at]
            self._visits += len(leaf)
            rows = self._units[leaf]
            dots, shared = rows @ profile, (rows > 0) @ (profile > 0).astype(np.float64)
            near = (dots > 0) & (leaf != own)
            keys = np.append(keys, self._keys(dots[near], self._squares[leaf[near]], square))
            users, overlaps = np.append(users, leaf[near]), np.append(overlaps, shared[near])
            if len(keys) >= limit:
                kept = keys >= np.partition(keys, -limit)[-limit]
                keys, users, overlaps = keys[kept], users[kept], overlaps[kept]
                reach = 2 - 2 * float(self._cosines(keys.min(), square))
        return order_users(users, keys, self._cosines(keys, square or 1), overlaps, limit)

    def _keys(self, dots: NDArray, squares: NDArray, square: float) -> NDArray[np.float64]:
        """What orders users, as in ``UserIndex``."""
        if self._whole:
            return np.asarray(dots**2 / squares)
        return np.asarray(np.round(dots / np.sqrt(squares * square), DECIMALS))

    def _cosines(self, keys: NDArray, square: float) -> NDArray[np.float64]:
        return np.asarray(np.minimum(np.sqrt(keys / square) if self._whole else keys, 1.0))

    def _bounds(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """The least distance (n_leaves,) that a user of each leaf can have."""
        if self._boxes:
            outside = np.maximum(np.maximum(self._low - point, point - self._high), 0)
            return np.asarray(np.linalg.norm(outside, axis=1))
        return np.maximum(np.linalg.norm(self._centres - point, axis=1) - self._radii, 0)

    def _projection(self) -> NDArray[np.float64] | None:
        """Orthonormal columns (n_items, d) that keep most of the profiles; None: keep all."""
        room = MEMORY // (8 * max(1, self.n_users))
        if room >= self.n_items:
            return None
        d = min(DIMENSIONS, room)
        if d < MIN_DIMENSIONS:
            size = 8 * MIN_DIMENSIONS * self.n_users / 1e9
            raise ConfigurationError(
                f"A tree of {self.n_users} users needs at least {size:.1f} GB, and the limit is "
                f"{MEMORY / 1e9:.1f} GB. Choose search='blocks', which gives the same neighbours."
            )
        basis = np.random.default_rng(0).standard_normal((self.n_items, d))
        for _ in range(2):  # subspace iteration: towards the directions in which profiles differ
            basis = np.linalg.qr(self._units.T @ (self._units @ basis))[0]
        return basis

    def _points(self, units: csr_array, squares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Profiles scaled to length one, in the coordinates of the tree; empty ones at zero."""
        norms = np.sqrt(np.maximum(squares, 1e-300))[:, None]
        if self._basis is None:
            return np.asarray(units.toarray() / norms)
        points = (units @ self._basis) / norms
        rest = np.sqrt(np.maximum(0, (squares > 0) - (points**2).sum(axis=1)))
        return np.column_stack([points, rest])


def _split(points: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Halve the users (by position) along the widest dimension until at most ``LEAF`` are left."""
    leaves = [np.arange(len(points))]
    while max(map(len, leaves)) > LEAF:
        halves = []
        for leaf in leaves:
            widest = np.argmax(points[leaf].var(axis=0))
            order = np.argpartition(points[leaf, widest], len(leaf) // 2)
            halves += [leaf[order[: len(leaf) // 2]], leaf[order[len(leaf) // 2 :]]]
        leaves = halves
    return leaves
