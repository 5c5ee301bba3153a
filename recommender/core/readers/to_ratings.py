"""Turns a table into Ratings: sorted, one rating for each pair, every item known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.core.ratings import Ratings
from recommender.core.readers.columns import round_to_scale
from recommender.core.readers.items import ItemCatalogue
from recommender.core.readers.problems import Problems
from recommender.core.readers.tables import RatingsTable

KEEP = ("first", "last", "mean")


def to_ratings(
    table: RatingsTable, catalogue: ItemCatalogue | None = None, keep: str = ""
) -> Ratings:
    """The ratings of ``table``, sorted by user, then item; ``catalogue`` must list every item.

    ``keep`` says which of the ratings of a repeated pair counts: the first or last by time (by
    line without times), or their mean, rounded to the scale, at the time of the last. Without it,
    SourceError names the lines that repeat a pair, as it does those of unknown items.
    """
    problems = Problems(table.file.label)
    if catalogue is not None:
        _check_items(table, catalogue, problems)
    users, items = table.users, table.items
    values, timestamps = table.values, table.timestamps
    same_user = users[1:] == users[:-1]
    ascending = (users[1:] > users[:-1]) | (same_user & (items[1:] > items[:-1]))
    if not ascending.all():  # MovieLens files are sorted already
        keys = pair_keys(users, items, len(table.item_ids))
        if keep:
            order, values = _merge(table, keys, keep)
        else:
            order = sorted_order(table, keys, problems)
            values = values[order]
        users, items = users[order], items[order]
        timestamps = None if timestamps is None else timestamps[order]
    problems.raise_any()
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


def sorted_order(
    table: RatingsTable, keys: NDArray[np.int64], problems: Problems
) -> NDArray[np.intp]:
    """The order of ascending keys (n); lines that repeat a pair are problems."""
    order = np.argsort(keys, kind="stable")
    ascending = keys[order]
    again = np.flatnonzero(ascending[1:] == ascending[:-1])
    for place in again[np.argsort(order[again + 1])].tolist():
        first, second = int(order[place]), int(order[place + 1])
        user = table.user_ids[table.users[second]]
        item = table.item_ids[table.items[second]]
        problem = f"user {user} already rated item {item} on {table.place_of(first)}"
        remedy = "Keep one of the two lines, or say which counts: --keep first, last or mean."
        problems.add(table.item_error(second, problem, remedy))
    return order


def _merge(
    table: RatingsTable, keys: NDArray[np.int64], keep: str
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The places of the ratings that are kept, by ascending keys, and their values."""
    times = np.zeros(len(keys), np.int8) if table.timestamps is None else table.timestamps
    order = np.lexsort((times, keys))
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    counts = np.diff(np.append(starts, len(order)))
    if repeated := len(order) - len(starts):
        table.notes["repeated"] = f"ratings of pairs rated before: {repeated:,}; the {keep} counts"
    chosen = order[starts] if keep == "first" else order[starts + counts - 1]
    if keep != "mean":
        return chosen, table.values[chosen]
    means = np.add.reduceat(table.values[order].astype(np.float64), starts) / counts
    # The tiny number takes halves between two levels up, as people round.
    return chosen, round_to_scale(means + 1e-6 * table.scale.step, table.scale)


def _check_items(table: RatingsTable, catalogue: ItemCatalogue, problems: Problems) -> None:
    """An item of the table that the catalogue lacks is a problem of the first line with it."""
    known = np.array([str(key) in catalogue.items for key in table.item_ids.tolist()])
    if known.all():
        return
    unknown = np.flatnonzero(~known[table.items])
    _, firsts = np.unique(table.items[unknown], return_index=True)
    for row in unknown[np.sort(firsts)].tolist():
        item = table.item_ids[table.items[row]]
        problem = f"item {item} is not in {catalogue.file.label}"
        remedy = "Add the item there, or remove its ratings."
        problems.add(table.item_error(row, problem, remedy))
