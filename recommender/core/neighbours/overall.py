"""The k nearest users overall as ``top`` finds them, in the form that ``means`` takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.levels import Levels, in_levels
from recommender.core.neighbours.packed import pack
from recommender.core.neighbours.similarity import RankedUsers
from recommender.core.neighbours.top import nearest
from recommender.core.ratings import Scale


class TopIndex:
    """The nearest users by full-vector cosine: those of ``UserIndex``, bit for bit."""

    def __init__(self, levels: Levels, n_movies: int, scale: Scale, threads: int) -> None:
        self.n_users, self.n_items = len(levels.indptr) - 1, n_movies
        self._levels, self._scale, self._threads = levels, scale, threads
        self._packed = pack(levels, n_movies, threads)

    def ranked(
        self,
        profiles: csr_array,
        *,
        exclude: NDArray[np.int64] | None = None,
        limit: int | None = None,
    ) -> Iterator[RankedUsers]:
        """As ``UserIndex.ranked``; ConfigurationError for profiles off the scale."""
        asking = in_levels(profiles, self._scale)
        if asking is None or profiles.shape[1] != self.n_items:
            raise ConfigurationError("The profiles are not on the scale and movies of the model.")
        rows = np.arange(profiles.shape[0])
        own = np.full(len(rows), -1) if exclude is None else exclude
        k = min(limit or self.n_users, self.n_users)
        found = nearest(self._packed, asking, rows, k, own=own, threads=self._threads)
        rated = np.zeros(self.n_items, bool)
        for row, users in enumerate(found.users):
            users = users[users >= 0].astype(np.int64)
            movies = asking.movies[asking.indptr[row] : asking.indptr[row + 1]]
            rated[movies] = True
            overlaps = [rated[self._movies(user)].sum() for user in users]
            rated[movies] = False
            yield RankedUsers(
                users, found.similarities[row, : len(users)], np.array(overlaps, np.int64)
            )

    def _movies(self, user: int) -> NDArray[np.int32]:
        return self._levels.movies[self._levels.indptr[user] : self._levels.indptr[user + 1]]
