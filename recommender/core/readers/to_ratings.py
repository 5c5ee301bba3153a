"""Turns a table into Ratings: sorted, no pair repeated, every item known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.core.ratings import Ratings
from recommender.core.readers.items import ItemCatalogue
from recommender.core.readers.tables import RatingsTable


def to_ratings(table: RatingsTable, catalogue: ItemCatalogue | None = None) -> Ratings:
    """The ratings of ``table``, sorted by user, then item; ``catalogue`` must list every item.

    SourceError names the line of an unknown item and of a repeated pair.
    """
    if catalogue is not None:
        _check_items(table, catalogue)
    users, items = table.users, table.items
    values, timestamps = table.values, table.timestamps
    same_user = users[1:] == users[:-1]
    ascending = (users[1:] > users[:-1]) | (same_user & (items[1:] > items[:-1]))
    if not ascending.all():  # MovieLens files are sorted already
        order = sorted_order(table, pair_keys(users, items, len(table.item_ids)))
        users, items, values = users[order], items[order], values[order]
        timestamps = None if timestamps is None else timestamps[order]
    return Ratings(
        indptr=np.searchsorted(users, np.arange(len(table.user_ids) + 1, dtype=np.int32)),
        indices=items,
        values=values,
        timestamps=timestamps,
        user_ids=table.user_ids,
        item_ids=table.item_ids,
        scale=table.scale,
    )


def pair_keys(users: NDArray, items: NDArray, n_items: int) -> NDArray[np.int64]:
    """One number for each (user, item) pair of positions (n), ascending by user, then item."""
    return users.astype(np.int64) * n_items + items


def sorted_order(table: RatingsTable, keys: NDArray[np.int64]) -> NDArray[np.intp]:
    """The order of ascending keys (n); SourceError at the first line that repeats a pair."""
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    again = np.flatnonzero(ascending[1:] == ascending[:-1])
    if len(again):
        place = again[np.argmin(order[again + 1])]
        first, second = int(order[place]), int(order[place + 1])
        user = table.user_ids[table.users[second]]
        item = table.item_ids[table.items[second]]
        problem = f"user {user} already rated movie {item} on line {table.line_of(first)}"
        raise table.item_error(second, problem, "Keep one of the two lines.")
    return order


def _check_items(table: RatingsTable, catalogue: ItemCatalogue) -> None:
    known = np.array([str(key) in catalogue.items for key in table.item_ids.tolist()])
    if not known.all():
        row = int(np.argmin(known[table.items]))
        item = table.item_ids[table.items[row]]
        problem = f"movie {item} is not in {catalogue.file.label}"
        raise table.item_error(row, problem, "Add the movie there, or remove the rating.")
