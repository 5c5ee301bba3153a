"""Which ratings are withheld together, and in what order: every one exactly once per pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """What a batch is made of: E examples of B tasks, each a user with some ratings.

    ``users`` (B), ``task_of`` (E) ascending, ``entries`` (E) the withheld ratings' positions among
    the stored ones, ``drawn`` (E x s) movies drawn for each example, rated by its user or not.
    Its first example is the ``first_example``th of ``all_examples`` where the batch is shared
    between processes.
    """

    users: NDArray[np.int64]
    task_of: NDArray[np.int64]
    entries: NDArray[np.int64]
    drawn: NDArray[np.int64]
    first_example: int
    all_examples: int

    def share(self, rank: int, size: int) -> Part:
        """What the process ``rank`` of ``size`` takes: whole tasks, about as many examples each."""
        if size == 1:
            return self
        starts = np.searchsorted(self.task_of, np.arange(len(self.users) + 1))
        wanted = np.arange(1, size) * len(self.entries) / size
        cuts = [0, *np.searchsorted(starts, wanted).tolist(), len(self.users)]
        first, last = cuts[rank], cuts[rank + 1]
        own = slice(starts[first], starts[last])
        return Part(
            self.users[first:last],
            self.task_of[own] - first,
            self.entries[own],
            self.drawn[own],
            int(starts[first]),
            self.all_examples,
        )


@dataclass(frozen=True)
class Plan:
    """Task t withholds ``entries[starts[t]:starts[t + 1]]``.

    Entries are positions among the stored ratings; all of a task's are one user's, ``users[t]``.
    """

    users: NDArray[np.int64]
    starts: NDArray[np.int64]
    entries: NDArray[np.int64]

    @classmethod
    def draw(
        cls,
        rows: NDArray[np.int64],
        entries: NDArray[np.int64],
        per_user: int,
        rng: np.random.Generator,
    ) -> Plan:
        """Every one of ``entries`` once, at most ``per_user`` to a task, all in random order.

        ``rows``, ascending, is the user of every stored rating; ``entries`` ascend, too.
        """
        users = rows[entries]
        # A user's random numbers lie between his own and the next; what rounding makes equal stays
        # in order. One key: two take five times as long.
        entries = entries[np.argsort(users + rng.random(len(entries)), kind="stable")]
        firsts = np.flatnonzero(np.diff(users, prepend=-1))
        counts = np.diff(np.append(firsts, len(users)))
        opens = (np.arange(len(users)) - np.repeat(firsts, counts)) % per_user == 0
        starts = np.append(np.flatnonzero(opens), len(users))
        shuffled = rng.permutation(len(starts) - 1)
        lengths = np.diff(starts)[shuffled]
        within = runs(starts[:-1][shuffled], lengths)
        ends = np.concatenate(([0], np.cumsum(lengths)))
        return cls(users[starts[:-1]][shuffled], ends, entries[within])

    def parts(
        self, tasks: int, movies: NDArray[np.int64], rng: np.random.Generator, s: int = 0
    ) -> Iterator[Part]:
        """About ``tasks`` tasks at a time, evenly cut, with ``s`` of ``movies`` an example."""
        n_parts = max(1, round(len(self.users) / tasks))
        cuts = np.linspace(0, len(self.users), n_parts + 1).astype(int)
        for first, last in pairwise(cuts):
            starts = self.starts[first : last + 1]
            task_of = np.repeat(np.arange(last - first), np.diff(starts))
            entries = self.entries[starts[0] : starts[-1]]
            drawn = movies[rng.integers(len(movies), size=(len(entries), s))]
            yield Part(self.users[first:last], task_of, entries, drawn, 0, len(entries))


def runs(starts: NDArray[np.int64], lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """The positions start, start + 1, ... of every run, one run after another."""
    shifts = starts - (np.cumsum(lengths) - lengths)
    return np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)
