"""How alike users are: every measure there is, block by block, never a users x users matrix.

The plain, readable form. ``top`` and ``raters`` give the same for the full-vector cosine, faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale
from recommender.core.systems import UserKNNConfig

BLOCK_CELLS = 2_000_000  # pairs of users compared at once: 16 MB for each of a few arrays
DECIMALS = 12  # similarities of real numbers that agree so far are tied; of integers, exactly
GRAIN = np.array(10.0**-DECIMALS)
MOST_UNITS = 100  # levels up to so many units have exact squares of dot products


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

    Ratings are taken in whole units (half stars, say), so that every product of uncentred
    profiles is an exact integer. For one profile the full-vector cosine orders users as
    ``dot^2 / |v|^2`` does, one correctly rounded division of integers: users whose cosines are
    equal as real numbers are equal here too, on every machine, and ties are true ties.

    All else is real numbers, and rounded: cosines and correlations to twelve decimals, a dot
    product to twelve decimals of the largest that the profile could have with anybody.
    """

    def __init__(
        self, matrix: csr_array, scale: Scale, config: UserKNNConfig, *, compiled: int = 0
    ) -> None:
        """``compiled``: multiply in so many threads by numba, which gives the same; 0: by scipy."""
        self.n_users, self.n_items = matrix.shape
        self._product = partial(_compiled_product, compiled) if compiled else _product
        self._scale, self._config = scale, config
        # common ratings correlate alike with and without the means of whole profiles
        common = config.similarity == "correlation" and config.over == "common"
        self._centres = config.centre == "everything" and not common
        self._whole = not self._centres and unit_of(scale) > 0
        vectors = self._vectors(csr_array(matrix))
        self._users = _Sides(vectors.T.tocsr())
        self._sums, self._squares = _row_sums(vectors), square_sums(vectors)
        self._longest = np.sqrt(self._squares.max(initial=0))

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
            keys, similarities, overlaps, grain = self._compare(profiles[start : start + block])
            near = overlaps >= max(1, self._config.minimum_overlap)
            near &= similarities > self._config.minimum_similarity + grain / 2
            for row in range(len(keys)):
                if exclude is not None:
                    near[row, exclude[start + row]] = False
                users = np.flatnonzero(near[row])
                yield order(
                    users, keys[row, users], similarities[row, users], overlaps[row, users], limit
                )

    def _compare(self, profiles: csr_array) -> tuple[NDArray[np.float64], ...]:
        """What orders the users, their similarities and overlaps: each (profiles, users).

        And what similarities count as equal up to: a number, or one for each profile.
        """
        config, whole = self._config, self._config.over == "full"
        mine = self._vectors(profiles)
        side, theirs = _Sides(mine), self._users
        overlaps = self._product(side.pattern, theirs.pattern)
        dots = self._product(side.values, theirs.values)
        if config.similarity == "dot":
            stars = (unit_of(self._scale) or 1) ** 2
            grain = grain_of(np.sqrt(square_sums(mine))[:, None] * self._longest * stars)
            found = dots * stars if self._whole else _rounded(dots * stars, grain)
            return self._shrunk(dots if self._whole else found, found, overlaps, grain)
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
            square, other = _spread(count, square, total), _spread(count, other, rest)
        elif self._whole:
            key = _over(dots**2, other) if whole else _over(dots**2, square * other)
            cosines = np.sqrt(_over(key, square) if whole else key)
            return self._shrunk(key, np.minimum(cosines, 1.0), overlaps)
        found = _over(dots, np.sqrt(np.maximum(square, 0) * np.maximum(other, 0)))
        found = np.asarray(np.round(np.clip(found, -1, 1), DECIMALS))
        return self._shrunk(found, found, overlaps)

    def _shrunk(
        self,
        keys: NDArray[np.float64],
        found: NDArray[np.float64],
        overlaps: NDArray[np.float64],
        grain: NDArray[np.float64] = GRAIN,
    ) -> tuple[NDArray[np.float64], ...]:
        if shrinkage := self._config.shrinkage:
            found = found * overlaps / (overlaps + shrinkage)
            keys = found = np.round(found, DECIMALS) if grain is GRAIN else _rounded(found, grain)
        return keys, found, overlaps, grain

    def _vectors(self, matrix: csr_array) -> csr_array:
        units = in_units(matrix, self._scale)
        return centred(units)[0] if self._centres else units


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
    # what rounding leaves of a zero would make a direction of profiles that have none
    values[np.abs(values) < 10.0**-DECIMALS * np.repeat(np.abs(means), counts)] = 0
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
    """Stars as whole units where the scale has one, else as its levels in full precision."""
    values = np.asarray(matrix.data, np.float64)
    if unit := unit_of(scale):
        values = np.round(values / unit)
    else:  # stars are kept in 32 bits, which would be noise of 1e-8
        steps = np.round((values - scale.minimum) / scale.step)
        values = scale.minimum + scale.step * steps
    return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


@cache
def unit_of(scale: Scale) -> float:
    """The largest number of which every level is a whole multiple, up to ``MOST_UNITS``; else 0.

    Half a star for 0.5:5:0.5, a tenth for 1:4.5:0.7.
    """
    lowest, step = (
        Fraction(number).limit_denominator(MOST_UNITS) for number in (scale.minimum, scale.step)
    )
    if not (lowest and step):
        return 0.0
    below = lcm(lowest.denominator, step.denominator)
    unit = gcd(int(lowest * below), int(step * below)) / below
    units = scale.levels() / unit
    exact = units[-1] <= MOST_UNITS + 0.5 and bool((np.abs(units - np.rint(units)) < 1e-6).all())
    return unit if exact else 0.0


def grain_of(largest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twelve decimals of ``largest``, as a power of two: multiples of it are exact."""
    return np.asarray(2.0 ** np.ceil(np.log2(np.maximum(largest * 10.0**-DECIMALS, 1e-300))))


def _rounded(values: NDArray[np.float64], grain: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(values / grain) * grain)


def _spread(
    count: NDArray[np.float64] | int, square: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``count`` squared times the variance; zero where it is what rounding leaves of a zero."""
    whole = count * square
    found = whole - total**2
    found[found < 10.0**-DECIMALS * whole] = 0
    return np.asarray(found)


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
