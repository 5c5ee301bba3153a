"""What a user's profile contains at test time: the policies, and the profiles of test pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.splitting import Split

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TRAIN_ONLY = "train-only"
POLICIES = (TRAIN_ONLY, "history", "all-but-target")
MOST_ENTRIES = 2_000_000  #: ratings in the profiles of one block, about 100 MB while it is built


@dataclass(frozen=True, eq=False)
class ProfileBlock:
    """Some test pairs with their profiles.

    ``pairs`` (p) are positions among the test ratings, and ``rows`` (p) the rows of their profiles
    in ``profiles`` (m, n_items); None stands for the training profiles.
    """

    pairs: NDArray[np.int64]
    rows: NDArray[np.int64]
    profiles: csr_array | None


def profile_keys(split: Split, policy: str) -> NDArray[np.int64]:
    """A number for each test rating (n_test), the same for those with the same profile.

    ``train-only``: the user's training ratings. ``history``: these and the user's test ratings
    with an earlier time stamp than the target. ``all-but-target`` (paper, section IV.A): all of
    the user's ratings except the target. Profiles of one user have adjacent numbers.

    Raises ConfigurationError for an unknown policy, and for ``history`` without time stamps.
    """
    if policy not in POLICIES:
        raise ConfigurationError(
            f"There is no profile policy {policy!r}. Choose from: {', '.join(POLICIES)}."
        )
    if policy == TRAIN_ONLY:
        return split.test_rows
    if policy == "all-but-target":
        keys = np.empty(len(split.test_rows), np.int64)
        keys[np.argsort(split.test_rows, kind="stable")] = np.arange(len(keys))
        return keys
    if split.test_times is None:
        raise ConfigurationError(
            "The ratings have no time stamps, so no profile can end before the test rating. "
            "Use train-only or all-but-target, or import a source with a timestamp column."
        )
    order = np.lexsort((split.test_times, split.test_rows))
    is_new = _changes(split.test_rows[order]) | _changes(split.test_times[order])
    keys = np.empty(len(order), np.int64)
    keys[order] = np.cumsum(is_new) - 1
    return keys


def profile_blocks(
    split: Split,
    policy: str,
    pairs: NDArray[np.int64],
    *,
    most_pairs: int,
    most_profiles: int,
) -> Iterator[ProfileBlock]:
    """The test ratings at the positions ``pairs``, in blocks whose profiles fit in memory.

    A block has about ``most_pairs`` pairs. If profiles are built for it, it has at most
    ``most_profiles`` of them with MOST_ENTRIES ratings, unless one profile alone has more. Pairs
    of the same profile are in the same block.
    """
    keys = profile_keys(split, policy)[pairs]
    order = np.argsort(keys, kind="stable")
    pairs, keys = pairs[order], keys[order]
    starts = np.append(np.flatnonzero(_changes(keys)), len(keys))  # of the pairs of each profile
    source = None if policy == TRAIN_ONLY else _Source(split)
    sizes = np.zeros(len(starts) - 1, np.int64)
    if source:
        sizes = source.sizes(pairs[starts[:-1]], policy)
    filled = np.concatenate(([0], np.cumsum(sizes)))
    first = 0
    while first < len(sizes):
        by_pairs = np.searchsorted(starts, starts[first] + most_pairs, side="left")
        by_size = np.searchsorted(filled, filled[first] + MOST_ENTRIES, side="right") - 1
        if source:
            by_size = min(by_size, first + most_profiles)
        last = int(min(max(min(by_pairs, by_size), first + 1), len(sizes)))
        chosen = pairs[starts[first] : starts[last]]
        if source:
            rows = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
            profiles = source.profiles(pairs[starts[first:last]], policy)
            yield ProfileBlock(chosen, rows, profiles)
        else:
            yield ProfileBlock(chosen, split.test_rows[chosen], None)
        first = last


class _Source:
    """Builds profiles from the training ratings and the test ratings by user, oldest first."""

    def __init__(self, split: Split) -> None:
        self._split = split
        times = split.test_times
        if times is None:
            times = np.zeros(len(split.test_rows), np.int64)
        self._order = np.lexsort((times, split.test_rows))
        self._place = np.empty(len(self._order), np.int64)  # of each test rating in that order
        self._place[self._order] = np.arange(len(self._order))
        counts = np.bincount(split.test_rows, minlength=split.train.n_users)
        self._indptr = np.concatenate(([0], np.cumsum(counts)))
        ordered_rows, ordered_times = split.test_rows[self._order], times[self._order]
        is_new = _changes(ordered_rows) | _changes(ordered_times)
        #: where the ratings with the user and time stamp of each test rating begin in that order
        self._since = np.flatnonzero(is_new)[np.cumsum(is_new) - 1][self._place]

    def sizes(self, targets: NDArray[np.int64], policy: str) -> NDArray[np.int64]:
        """How many ratings the profile of each target (t) has."""
        users = self._split.test_rows[targets]
        known = np.diff(self._split.train.indptr)[users]
        if policy == "history":
            return known + self._since[targets] - self._indptr[users]
        return known + self._indptr[users + 1] - self._indptr[users] - 1

    def profiles(self, targets: NDArray[np.int64], policy: str) -> csr_array:
        """The profile of each target, (t, n_items)."""
        from scipy.sparse import csr_array

        split, train = self._split, self._split.train
        users = split.test_rows[targets]
        old_rows, old = _ranges(train.indptr[users], train.indptr[users + 1])
        ends = self._since[targets] if policy == "history" else self._indptr[users + 1]
        new_rows, places = _ranges(self._indptr[users], ends)
        others = places != self._place[targets][new_rows]
        new_rows, new = new_rows[others], self._order[places[others]]
        parts = (
            np.concatenate((train.values[old], split.test_values[new])),
            (
                np.concatenate((old_rows, new_rows)),
                np.concatenate((train.indices[old], split.test_items[new])),
            ),
        )
        profiles = csr_array(parts, shape=(len(targets), train.n_items))
        profiles.sort_indices()
        return profiles


def _changes(keys: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether each key (n) differs from the one before; true for the first."""
    return np.concatenate((np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1]))


def _ranges(
    starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For the numbers in each range [start, end): which range, and the number."""
    lengths = ends - starts
    which = np.repeat(np.arange(len(starts)), lengths)
    offsets = starts - np.concatenate(([0], np.cumsum(lengths)))[:-1]
    return which, np.arange(len(which)) + offsets[which]
