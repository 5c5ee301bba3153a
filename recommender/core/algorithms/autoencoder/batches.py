"""Divides a pass into batches: every rating is withheld exactly once, in random order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class BatchPlan:
    """A batch of E examples from B profiles; each example withholds one rating of its profile.

    ``users`` (B); ``profile_of`` (E), ascending, the position in ``users``; ``withheld`` (E) the
    positions of the withheld ratings among the stored ones; ``drawn`` (E x s) items drawn for each
    example, rated by its user or not. When processes share the batch, ``first_example`` is the
    position of this plan's first example among ``all_examples``.
    """

    users: NDArray[np.int64]
    profile_of: NDArray[np.int64]
    withheld: NDArray[np.int64]
    drawn: NDArray[np.int64]
    first_example: int
    all_examples: int

    def share(self, rank: int, size: int) -> BatchPlan:
        """The part of process ``rank`` of ``size``: whole profiles, similar numbers of examples."""
        if size == 1:
            return self
        starts = np.searchsorted(self.profile_of, np.arange(len(self.users) + 1))
        cuts = np.searchsorted(starts, np.arange(1, size) * len(self.withheld) / size)
        edges = [0, *cuts.tolist(), len(self.users)]
        first, last = edges[rank], edges[rank + 1]
        own = slice(starts[first], starts[last])
        return BatchPlan(
            self.users[first:last],
            self.profile_of[own] - first,
            self.withheld[own],
            self.drawn[own],
            int(starts[first]),
            self.all_examples,
        )


@dataclass(frozen=True)
class PassPlan:
    """The order of a pass: ``ratings[starts[t]:starts[t + 1]]`` of ``users[t]`` are withheld
    from one profile, one rating in each example.
    """

    users: NDArray[np.int64]
    starts: NDArray[np.int64]
    ratings: NDArray[np.int64]

    @classmethod
    def draw(
        cls,
        rows: NDArray[np.int64],
        ratings: NDArray[np.int64],
        per_user: int,
        rng: np.random.Generator,
    ) -> PassPlan:
        """Each of ``ratings`` (ascending positions) once, at most ``per_user`` from one profile.

        ``rows`` (ascending) is the user of every stored rating.
        """
        users = rows[ratings]
        # One sort key per rating: the user plus a random fraction. Two keys take five times as
        # long. The order of keys that rounding makes equal stays as it was.
        ratings = ratings[np.argsort(users + rng.random(len(ratings)), kind="stable")]
        firsts = np.flatnonzero(np.diff(users, prepend=-1))
        counts = np.diff(np.append(firsts, len(users)))
        is_start = (np.arange(len(users)) - np.repeat(firsts, counts)) % per_user == 0
        starts = np.append(np.flatnonzero(is_start), len(users))
        shuffled = rng.permutation(len(starts) - 1)
        lengths = np.diff(starts)[shuffled]
        within = concatenate_ranges(starts[:-1][shuffled], lengths)
        ends = np.concatenate(([0], np.cumsum(lengths)))
        return cls(users[starts[:-1]][shuffled], ends, ratings[within])

    def batches(
        self, n_profiles: int, items: NDArray[np.int64], rng: np.random.Generator, s: int = 0
    ) -> Iterator[BatchPlan]:
        """Batches of about ``n_profiles``, with ``s`` of ``items`` drawn for each example."""
        n_batches = max(1, round(len(self.users) / n_profiles))
        edges = np.linspace(0, len(self.users), n_batches + 1).astype(int)
        for first, last in pairwise(edges):
            starts = self.starts[first : last + 1]
            profile_of = np.repeat(np.arange(last - first), np.diff(starts))
            ratings = self.ratings[starts[0] : starts[-1]]
            drawn = items[rng.integers(len(items), size=(len(ratings), s))]
            yield BatchPlan(self.users[first:last], profile_of, ratings, drawn, 0, len(ratings))


def concatenate_ranges(
    starts: NDArray[np.int64], lengths: NDArray[np.integer]
) -> NDArray[np.int64]:
    """The integers start, start + 1, ... of every range, one range after another."""
    shifts = starts - (np.cumsum(lengths) - lengths)
    return np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)
