"""Exact similar users, block by block: only the rows asked for, never a users x users matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale

BLOCK_CELLS = 8_000_000  # products held at once: about 200 MB with their positions


@dataclass(frozen=True)
class RankedUsers:
    """Users with positive similarity to one profile, most similar first.

    The order is similarity, then overlap (movies both rated), then user position; all three
    arrays (p,) run in it.
    """

    users: NDArray[np.int64]
    similarities: NDArray[np.float64]
    overlaps: NDArray[np.int64]


class UserIndex:
    """Users by the full-vector cosine of their ratings, a missing rating counting as zero.

    Ratings are taken in whole units of the scale (half stars, say), so that every product is an
    exact integer. For one profile the cosine orders users as ``dot^2 / |v|^2`` does, one correctly
    rounded division of integers: users whose cosines are equal as real numbers are equal here
    too, on every machine, and ties are true ties.
    """

    def __init__(self, matrix: csr_array, scale: Scale) -> None:
        self.n_users, self.n_items = matrix.shape
        self._unit = _unit(scale)
        units = self._in_units(csr_array(matrix))
        self._by_movie = units.T.tocsr()
        self._rated = _pattern(self._by_movie)
        self._square_norms = _square_norms(units)

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """For each profile (m x n_items, stars) its similar users, at most ``limit`` of them.

        ``exclude[row]`` is a user to leave out for that row: the profile's own.
        """
        if profiles.shape[1] != self.n_items:
            raise ConfigurationError(
                f"The profiles have {profiles.shape[1]} movies, the index {self.n_items}."
            )
        block = max(1, BLOCK_CELLS // max(1, self.n_users))
        for start in range(0, profiles.shape[0], block):
            units = self._in_units(profiles[start : start + block])
            dots, overlaps = units @ self._by_movie, _pattern(units) @ self._rated
            dots.sort_indices()
            overlaps.sort_indices()  # ratings are above zero: both have the same pattern now
            norms = _square_norms(units)
            for row in range(units.shape[0]):
                part = slice(dots.indptr[row], dots.indptr[row + 1])
                own = None if exclude is None else int(exclude[start + row])
                yield self._order(
                    dots.indices[part],
                    dots.data[part],
                    overlaps.data[part],
                    norms[row],
                    own,
                    limit,
                )

    def _order(
        self,
        users: NDArray[np.integer],
        dots: NDArray[np.float64],
        overlaps: NDArray[np.float64],
        square_norm: float,
        own: int | None,
        limit: int | None,
    ) -> RankedUsers:
        key = dots * dots / self._square_norms[users]
        chosen = np.arange(len(users)) if own is None else np.flatnonzero(users != own)
        if limit is not None and len(chosen) > limit > 0:
            worst = np.partition(key[chosen], -limit)[-limit]
            chosen = chosen[key[chosen] >= worst]
        chosen = chosen[np.lexsort((users[chosen], -overlaps[chosen], -key[chosen]))[:limit]]
        return RankedUsers(
            users=users[chosen].astype(np.int64),
            similarities=np.minimum(np.sqrt(key[chosen] / square_norm), 1.0),
            overlaps=overlaps[chosen].astype(np.int64),
        )

    def _in_units(self, matrix: csr_array) -> csr_array:
        values = np.asarray(matrix.data, np.float64)
        if self._unit:
            values = np.round(values / self._unit)
        return csr_array((values, matrix.indices, matrix.indptr), shape=matrix.shape)


def _unit(scale: Scale) -> float:
    """The step where every level is a whole number of steps, else 0: stars stay as they are."""
    steps = scale.minimum / scale.step
    return scale.step if abs(steps - round(steps)) < 1e-6 else 0.0


def _pattern(matrix: csr_array) -> csr_array:
    ones = np.ones(len(matrix.data))
    return csr_array((ones, matrix.indices, matrix.indptr), shape=matrix.shape)


def _square_norms(matrix: csr_array) -> NDArray[np.float64]:
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.asarray(np.bincount(rows, matrix.data**2, matrix.shape[0]), np.float64)
