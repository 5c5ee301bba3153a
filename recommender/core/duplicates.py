"""Duplicates: items with the same title and year under several ids, such as editions of a book.

People cannot tell them apart, so a study counts two of them as an agreement, and no duplicate of a
rated item is recommended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from itertools import chain
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

Key = tuple[str, int | None]
T = TypeVar("T")


def duplicate_key(title: str, year: int | None) -> Key:
    """Equal for two items that look the same: case and repeated spaces do not matter."""
    return " ".join(title.split()).casefold(), year


def group_duplicates(items: Iterable[tuple[T, Hashable]]) -> list[list[T]]:
    """The items of each key that several items share, from pairs of an item and its key."""
    found: defaultdict[Hashable, list[T]] = defaultdict(list)
    for item, key in items:
        found[key].append(item)
    return [group for group in found.values() if len(group) > 1]


def duplicate_matrix(groups: Iterable[list[int]], n_items: int) -> csr_array:
    """(n_items, n_groups) bool: whether a position is in a group; a group may be large."""
    members = list(groups)
    rows = np.fromiter(chain.from_iterable(members), np.int64)
    columns = np.repeat(np.arange(len(members)), [len(group) for group in members])
    return csr_array((np.ones(len(rows), bool), (rows, columns)), shape=(n_items, len(members)))


def with_duplicates(profiles: csr_array, duplicates: csr_array) -> csr_array:
    """(m, n_items): the entries of ``profiles`` and the duplicates of their items."""
    kind = np.ones(profiles.nnz, bool)
    rated = csr_array((kind, profiles.indices, profiles.indptr), shape=profiles.shape)
    return rated + (rated @ duplicates) @ duplicates.T if duplicates.nnz else rated
