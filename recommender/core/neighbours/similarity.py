"""How alike users are: every measure there is, block by block, never a users x users matrix.

The plain, readable form. ``top`` and ``raters`` give the same for the full-vector cosine, faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale
from recommender.core.systems import UserKNNConfig

BLOCK_CELLS = 2_000_000  # pairs of users compared at once: 16 MB for each of a few arrays
DECIMALS = 12  # similarities of real numbers that agree so far are tied; of integers, exactly


@dataclass(frozen=True)
class RankedUsers:
    """The neighbours of one profile, most similar first.

    The order is similarity, then overlap (movies both rated), then user position; all three
    arrays (p,) run in it.
    """

    users: NDArray[np.int64]
    similarities: NDArray[np.float64]
    overlaps: NDArray[np.int64]


class UserIndex:
    """Users by similarity to a profile, as the configuration defines it.

    Ratings are taken in whole units of the scale (half stars, say), so that every product of
    uncentred profiles is an exact integer. For one profile the full-vector cosine orders users as
    ``dot^2 / |v|^2`` does, one correctly rounded division of integers: users whose cosines are
    equal as real numbers are equal here too, on every machine, and ties are true ties.
    """

    def __init__(
        self, matrix: csr_array, scale: Scale, config: UserKNNConfig, *, compiled: int = 0
    ) -> None:
        """``compiled``: multiply in so many threads by numba, which gives the same; 0: by scipy."""
        self.n_users, self.n_items = matrix.shape
        self._product = partial(_compiled_product, compiled) if compiled else _product
        self._scale, self._config = scale, config
        vectors = self._vectors(csr_array(matrix))
        self._users = _Sides(vectors.T.tocsr())
        self._sums, self._squares = _row_sums(vectors), square_sums(vectors)

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """For each profile (m x n_items, stars) its neighbours, at most ``limit`` of them.

        A neighbour shares ``minimum_overlap`` movies with the profile and is more similar to it
        than ``minimum_similarity``. ``exclude[row]`` is a user to leave out for that row: the
        profile's own.
        """
        if profiles.shape[1] != self.n_items:
            raise ConfigurationError(
                f"The profiles have {profiles.shape[1]} movies, the index {self.n_items}."
            )
        block = max(1, BLOCK_CELLS // max(1, self.n_users))
        for start in range(0, profiles.shape[0], block):
            keys, similarities, overlaps = self._compare(profiles[start : start + block])
            near = overlaps >= max(1, self._config.minimum_overlap)
            near &= similarities > self._config.minimum_similarity
            for row in range(len(keys)):
                if exclude is not None:
                    near[row, exclude[start + row]] = False
                users = np.flatnonzero(near[row])
                yield order(
                    users, keys[row, users], similarities[row, users], overlaps[row, users], limit
                )

    def _compare(self, profiles: csr_array) -> tuple[NDArray[np.float64], ...]:
        """What orders the users, their similarities and overlaps: each (profiles, users)."""
        config, whole = self._config, self._config.over == "full"
        mine = self._vectors(profiles)
        side, theirs = _Sides(mine), self._users
        overlaps = self._product(side.pattern, theirs.pattern)
        dots = self._product(side.values, theirs.values)
        if config.similarity == "dot":
            return self._shrunk(dots, dots * (unit_of(self._scale) or 1) ** 2, overlaps)
        if whole:
            square, other = square_sums(mine)[:, None], self._squares[None]
        else:
            square = self._product(side.squares, theirs.pattern)
            other = self._product(side.pattern, theirs.squares)
        if config.similarity == "correlation":
            if whole:  # over all movies, one that is missing counting as zero
                count, total, rest = self.n_items, _row_sums(mine)[:, None], self._sums[None]
            else:
                count = overlaps
                total = self._product(side.values, theirs.pattern)
                rest = self._product(side.pattern, theirs.values)
            dots = count * dots - total * rest
            square, other = count * square - total**2, count * other - rest**2
        elif config.centre != "everything":
            key = _over(dots**2, other) if whole else _over(dots**2, square * other)
            cosines = np.sqrt(_over(key, square) if whole else key)
            return self._shrunk(key, np.minimum(cosines, 1.0), overlaps)
        found = _over(dots, np.sqrt(np.maximum(square, 0) * np.maximum(other, 0)))
        found = np.asarray(np.round(np.clip(found, -1, 1), DECIMALS))
        return self._shrunk(found, found, overlaps)

    def _shrunk(
        self, keys: NDArray[np.float64], found: NDArray[np.float64], overlaps: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        if shrinkage := self._config.shrinkage:
            keys = found = np.asarray(np.round(found * overlaps / (overlaps + shrinkage), DECIMALS))
        return keys, found, overlaps

    def _vectors(self, matrix: csr_array) -> csr_array:
        units = in_units(matrix, self._scale)
        return centred(units)[0] if self._config.centre == "everything" else units


class _Sides:
    """One side of the products: the values, their squares, and ones in their places."""

    def __init__(self, values: csr_array) -> None:
        def like(data: NDArray[np.float64]) -> csr_array:
            return csr_array((data, values.indices, values.indptr), shape=values.shape)

        self.values, self.squares = values, like(values.data**2)
        self.pattern = like(np.ones(len(values.data)))


def _product(left: csr_array, right: csr_array) -> NDArray[np.float64]:
    """left @ right, dense."""
    return np.asarray((left @ right).toarray(), np.float64)


def _compiled_product(threads: int, left: csr_array, right: csr_array) -> NDArray[np.float64]:
    from recommender.core.neighbours.compiled import product

    out = np.zeros((left.shape[0], right.shape[1]))
    starts, *parts = (
        np.require(part, requirements=["C", "W"])  # what kernels are compiled for
        for side in (left, right)
        for part in (side.indptr, side.indices, side.data)
    )
    edges = np.linspace(0, len(out), 4 * threads + 1).astype(int)

    def part(first: int, last: int) -> None:
        product(starts[first : last + 1], *parts, out[first:last])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, edges[:-1], edges[1:]))
    return out


def centred(matrix: csr_array) -> tuple[csr_array, NDArray[np.float64]]:
    """Every row less its mean rating, and the means; an empty row has the mean 0."""
    counts = np.diff(matrix.indptr)
    means = _over(_row_sums(matrix), counts)
    values = matrix.data - np.repeat(means, counts)
    return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape), means


def order(
    users: NDArray[np.int64],
    keys: NDArray[np.float64],
    similarities: NDArray[np.float64],
    overlaps: NDArray[np.float64],
    limit: int | None,
) -> RankedUsers:
    """By key, then overlap, then user position; the best ``limit`` of them."""
    chosen = np.arange(len(users))
    if limit is not None and len(users) > limit > 0:
        chosen = np.flatnonzero(keys >= np.partition(keys, -limit)[-limit])
    chosen = chosen[np.argsort(-keys[chosen])]
    # only ties need the other keys: sorting all three for everybody takes thrice as long
    same = np.flatnonzero(np.diff(keys[chosen]) == 0)
    if len(same):
        places = np.union1d(same, same + 1)
        tied = chosen[places]
        chosen[places] = tied[np.lexsort((users[tied], -overlaps[tied], -keys[tied]))]
    chosen = chosen[:limit]
    return RankedUsers(
        users=users[chosen].astype(np.int64),
        similarities=similarities[chosen],
        overlaps=overlaps[chosen].astype(np.int64),
    )


def in_units(matrix: csr_array, scale: Scale) -> csr_array:
    """Stars as whole steps of the scale where all levels are such, else as they stand."""
    values = np.asarray(matrix.data, np.float64)
    if unit := unit_of(scale):
        values = np.round(values / unit)
    return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def unit_of(scale: Scale) -> float:
    """The step where every level is a whole number of steps, else 0."""
    steps = scale.minimum / scale.step
    return scale.step if abs(steps - round(steps)) < 1e-6 else 0.0


def square_sums(matrix: csr_array) -> NDArray[np.float64]:
    """The squared norm of every row."""
    return _row_sums(csr_array((matrix.data**2, matrix.indices, matrix.indptr), matrix.shape))


def _row_sums(matrix: csr_array) -> NDArray[np.float64]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.asarray(np.bincount(rows, matrix.data, matrix.shape[0]), np.float64)


def _over(above: NDArray[np.floating], below: NDArray) -> NDArray[np.float64]:
    """above / below, 0 where there is nothing to divide by."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.divide(above, below, out=np.zeros(shape), where=below > 0)
