"""Similarity between users by every measure, in blocks of profiles to save memory.

Similarities that are equal as real numbers are equal here, so that ties do not depend on rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.configs.neighbours import ItemKNNConfig, KNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale

BLOCK_CELLS = 2_000_000  #: pairs of users compared at once: 16 MB for each of a few arrays
DECIMALS = 12  #: to which similarities that are real numbers must agree to be tied
GRAIN = np.array(10.0**-DECIMALS)
MAX_UNITS = 100  #: squares of dot products are exact for ratings of up to so many units


@dataclass(frozen=True)
class RankedUsers:
    """The neighbours of one profile, most similar first.

    Both arrays are (p,). Equal similarities are ordered by overlap (the number of items that both
    rated), then by user position.
    """

    users: NDArray[np.int64]
    similarities: NDArray[np.float64]


class UserIndex:
    """Ranks the users of ``matrix`` (n_users, n_items; stars) by similarity to a profile.

    Ratings are taken in whole units, such as half stars, so every product of profiles that are not
    centred is an exact integer. For one profile the full-vector cosine orders users as
    ``dot^2 / |v|^2`` does, which is one correctly rounded division of integers, so users with equal
    cosines get equal numbers on every machine.

    Other similarities are real numbers and are rounded: cosines and correlations to twelve
    decimals, a dot product to twelve decimals of the largest one that the profile could have.

    For similar items, ``matrix`` is transposed: its rows are items, its columns users.
    """

    def __init__(self, matrix: csr_array, scale: Scale, config: KNNConfig) -> None:
        self.n_users, self.n_items = matrix.shape
        self._scale, self._config = scale, config
        # A correlation over common items is the same with and without the means of whole profiles.
        common = config.similarity == "correlation" and config.over == "common"
        by_column = isinstance(config, ItemKNNConfig) and config.mean_of == "user"
        self._centres = config.centre == "everything" and (by_column or not common)
        self._whole = not self._centres and unit_of(scale) > 0
        self._column_means: NDArray[np.float64] | None = None
        if by_column:
            self._column_means = centre_rows(to_units(matrix.T.tocsr(), scale))[1]
        vectors = self._vectors(csr_array(matrix))
        self._users = _Factors(vectors.T.tocsr())
        self._sums, self._squares = _row_sums(vectors), square_sums(vectors)
        self._longest = np.sqrt(self._squares.max(initial=0))

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """The neighbours of each profile (m, n_items; stars), at most ``limit`` of them.

        Neighbours share at least ``minimum_overlap`` items with the profile and are more similar
        than ``minimum_similarity``. ``exclude[row]`` is a user to leave out for that row: the owner
        of the profile. Raises ConfigurationError for another number of items.
        """
        if profiles.shape[1] != self.n_items:
            raise ConfigurationError(
                f"The profiles have {profiles.shape[1]} items, the index has {self.n_items}."
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
                yield order_users(
                    users, keys[row, users], similarities[row, users], overlaps[row, users], limit
                )

    def _compare(self, profiles: csr_array) -> tuple[NDArray[np.float64], ...]:
        """Keys that order the users, similarities and overlaps, each (profiles, users); the grain.

        Similarities closer than the grain are equal. It is one number, or (profiles, 1).
        """
        config, full = self._config, self._config.over == "full"
        mine = self._vectors(profiles)
        left, right = _Factors(mine), self._users
        overlaps = _multiply(left.pattern, right.pattern)
        dots = _multiply(left.values, right.values)
        if config.similarity == "dot":
            stars = (unit_of(self._scale) or 1) ** 2
            grain = _power_of_two(np.sqrt(square_sums(mine))[:, None] * self._longest * stars)
            found = dots * stars if self._whole else _round_to(dots * stars, grain)
            return self._shrink(dots if self._whole else found, found, overlaps, grain)
        if full:
            square, other = square_sums(mine)[:, None], self._squares[None]
        else:
            square = _multiply(left.squares, right.pattern)
            other = _multiply(left.pattern, right.squares)
        if config.similarity == "correlation":
            if full:  # over all items, with a missing rating counting as zero
                count, total, rest = self.n_items, _row_sums(mine)[:, None], self._sums[None]
            else:
                count = overlaps
                total = _multiply(left.values, right.pattern)
                rest = _multiply(left.pattern, right.values)
            dots = count * dots - total * rest
            square, other = _spread(count, square, total), _spread(count, other, rest)
        elif self._whole:
            keys = _divide(dots**2, other if full else square * other)
            cosines = np.sqrt(_divide(keys, square) if full else keys)
            return self._shrink(keys, np.minimum(cosines, 1.0), overlaps)
        found = _divide(dots, np.sqrt(np.maximum(square, 0) * np.maximum(other, 0)))
        found = np.asarray(np.round(np.clip(found, -1, 1), DECIMALS))
        return self._shrink(found, found, overlaps)

    def _shrink(
        self,
        keys: NDArray[np.float64],
        found: NDArray[np.float64],
        overlaps: NDArray[np.float64],
        grain: NDArray[np.float64] = GRAIN,
    ) -> tuple[NDArray[np.float64], ...]:
        if shrinkage := self._config.shrinkage:
            found = found * overlaps / (overlaps + shrinkage)
            keys = found = np.round(found, DECIMALS) if grain is GRAIN else _round_to(found, grain)
        return keys, found, overlaps, grain

    def _vectors(self, matrix: csr_array) -> csr_array:
        units = to_units(matrix, self._scale)
        if not self._centres:
            return units
        if self._column_means is None:
            return centre_rows(units)[0]
        return subtract(units, self._column_means[units.indices])


class _Factors:
    """A factor of the products of users: its values, their squares, and ones in their places."""

    def __init__(self, values: csr_array) -> None:
        self.values, self.squares = values, _with_data(values, values.data**2)
        self.pattern = _with_data(values, np.ones(len(values.data)))


def centre_rows(matrix: csr_array) -> tuple[csr_array, NDArray[np.float64]]:
    """Each row less the mean of its ratings, and these means (rows,); 0 for an empty row."""
    counts = np.diff(matrix.indptr)
    means = _divide(_row_sums(matrix), counts)
    return subtract(matrix, np.repeat(means, counts)), means


def subtract(matrix: csr_array, means: NDArray[np.float64]) -> csr_array:
    """The matrix with ``means`` (n_ratings) subtracted from its ratings."""
    values = matrix.data - means
    # The rounding error of a zero would give a direction to profiles that have none.
    values[np.abs(values) < 10.0**-DECIMALS * np.abs(means)] = 0
    return _with_data(matrix, values)


def order_users(
    users: NDArray[np.int64],
    keys: NDArray[np.float64],
    similarities: NDArray[np.float64],
    overlaps: NDArray[np.float64],
    limit: int | None,
) -> RankedUsers:
    """Order by key, then overlap, then user position, and keep the best ``limit``; arrays (p,)."""
    chosen = np.arange(len(users))
    if limit is not None and len(users) > limit > 0:
        chosen = np.flatnonzero(keys >= np.partition(keys, -limit)[-limit])
    chosen = chosen[np.argsort(-keys[chosen])]
    # Only ties need the other keys: sorting all users by three keys takes three times as long.
    same = np.flatnonzero(np.diff(keys[chosen]) == 0)
    if len(same):
        places = np.union1d(same, same + 1)
        tied = chosen[places]
        chosen[places] = tied[np.lexsort((users[tied], -overlaps[tied], -keys[tied]))]
    chosen = chosen[:limit]
    return RankedUsers(users[chosen].astype(np.int64), similarities[chosen])


def to_units(matrix: csr_array, scale: Scale) -> csr_array:
    """Stars as whole units of the scale if it has one, else as its levels in double precision."""
    values = np.asarray(matrix.data, np.float64)
    if unit := unit_of(scale):
        values = np.round(values / unit)
    else:  # stars are stored in 32 bits, which would be noise of 1e-8
        steps = np.round((values - scale.minimum) / scale.step)
        values = scale.minimum + scale.step * steps
    return _with_data(matrix, values)


@cache
def unit_of(scale: Scale) -> float:
    """The largest number of which every level is a multiple of up to ``MAX_UNITS``; 0 if none.

    Half a star for 0.5:5:0.5, a tenth for 1:4.5:0.7.
    """
    lowest, step = (
        Fraction(number).limit_denominator(MAX_UNITS) for number in (scale.minimum, scale.step)
    )
    if not (lowest and step):
        return 0.0
    denominator = lcm(lowest.denominator, step.denominator)
    unit = gcd(int(lowest * denominator), int(step * denominator)) / denominator
    units = scale.levels() / unit
    exact = units[-1] <= MAX_UNITS + 0.5 and bool((np.abs(units - np.rint(units)) < 1e-6).all())
    return unit if exact else 0.0


def square_sums(matrix: csr_array) -> NDArray[np.float64]:
    """The squared norm of every row."""
    return _row_sums(_with_data(matrix, matrix.data**2))


def _power_of_two(largest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Twelve decimals of ``largest`` as a power of two, because multiples of it are exact."""
    return np.asarray(2.0 ** np.ceil(np.log2(np.maximum(largest * 10.0**-DECIMALS, 1e-300))))


def _round_to(values: NDArray[np.float64], grain: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(values / grain) * grain)


def _spread(
    count: NDArray[np.float64] | int, square: NDArray[np.float64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``count`` squared times the variance; zero where it is only the rounding error of a zero."""
    scaled = count * square
    found = scaled - total**2
    found[found < 10.0**-DECIMALS * scaled] = 0
    return np.asarray(found)


def _multiply(left: csr_array, right: csr_array) -> NDArray[np.float64]:
    return np.asarray((left @ right).toarray(), np.float64)


def _with_data(matrix: csr_array, data: NDArray[np.float64]) -> csr_array:
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _row_sums(matrix: csr_array) -> NDArray[np.float64]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.asarray(np.bincount(rows, matrix.data, matrix.shape[0]), np.float64)


def _divide(above: NDArray[np.floating], below: NDArray) -> NDArray[np.float64]:
    """above / below, and 0 where ``below`` is not positive."""
    shape = np.broadcast_shapes(above.shape, below.shape)
    return np.divide(above, below, out=np.zeros(shape), where=below > 0)
