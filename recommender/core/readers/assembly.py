"""From the rows of a file to Ratings: sorted, every pair once, every movie known, folds found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Ratings, Scale
from recommender.core.readers.catalogue import Catalogue
from recommender.core.readers.table import Table


def assemble(
    table: Table,
    scale: Scale,
    catalogue: Catalogue | None = None,
    folds: Mapping[str, tuple[Table, Table | None]] | None = None,
) -> Ratings:
    """The ratings of ``table``, sorted by user, then movie.

    ``catalogue`` must name every rated movie. ``folds`` gives the test ratings, and the others if
    the source lists them, of each official fold. SourceError names the line of what does not fit.
    """
    if catalogue is not None:
        _refuse_unknown_movies(table, catalogue)
    keys = table.users.astype(np.int64) * len(table.item_ids) + table.items
    order = None if np.all(keys[1:] > keys[:-1]) else _stable_order(table.items, table.users)
    if order is not None:
        keys = keys[order]
        _refuse_repetition(table, keys, order)
    masks = {
        name: _fold_mask(table, keys, test, rest) for name, (test, rest) in (folds or {}).items()
    }
    per_user = np.bincount(table.users, minlength=len(table.user_ids))
    return Ratings(
        indptr=np.concatenate(([0], np.cumsum(per_user))).astype(np.int64),
        indices=_sorted(table.items, order).astype(np.int32),
        values=_sorted(_on_levels(table.values, scale), order),
        timestamps=None if table.timestamps is None else _sorted(table.timestamps, order),
        user_ids=table.user_ids,
        item_ids=table.item_ids,
        scale=scale,
        folds=masks,
    )


def _stable_order(*columns: NDArray[np.int32]) -> NDArray[np.int64]:
    """The order by the last column, ties by the one before it, then by place.

    Digit by digit of 16 bits, which numpy sorts by counting: an import of shuffled lines takes
    half the time that sorting by comparison would need.
    """
    order = None
    for column in columns:
        for shift in range(0, int(column.max()).bit_length(), 16):
            digit = (column >> shift).astype(np.uint16)
            if order is None:
                order = np.argsort(digit, kind="stable")
            else:
                order = order[np.argsort(digit[order], kind="stable")]
    return np.arange(len(columns[0])) if order is None else order


def _sorted(values: NDArray, order: NDArray | None) -> NDArray:
    return values if order is None else values[order]


def _on_levels(values: NDArray[np.float64], scale: Scale) -> NDArray[np.float32]:
    """Exactly the levels of the scale, whatever the last printed digit was."""
    steps = np.round((values - scale.minimum) / scale.step)
    return (scale.minimum + steps * scale.step).astype(np.float32)


def _refuse_unknown_movies(table: Table, catalogue: Catalogue) -> None:
    known = np.array([str(key) in catalogue.movies for key in table.item_ids.tolist()])
    if known.all():
        return
    row = int(np.argmin(known[table.items]))
    movie = table.item_ids[table.items[row]]
    raise table.fault(
        row,
        table.layout.item,
        f"movie {movie} is not in {catalogue.member.label}",
        "Add the movie there, or take the rating out.",
    )


def _refuse_repetition(table: Table, keys: NDArray[np.int64], order: NDArray[np.int64]) -> None:
    """``keys`` are in the stable ``order``, so that of two equal ones the earlier comes first."""
    again = np.flatnonzero(keys[1:] == keys[:-1])
    if not len(again):
        return
    place = again[np.argmin(order[again + 1])]
    first, second = int(order[place]), int(order[place + 1])
    user = table.user_ids[table.users[second]]
    movie = table.item_ids[table.items[second]]
    raise table.fault(
        second,
        table.layout.item,
        f"user {user} rated movie {movie} already on line {table.line_of(first)}",
        "Keep one of the two lines.",
    )


def _fold_mask(
    table: Table, keys: NDArray[np.int64], test: Table, rest: Table | None
) -> NDArray[np.bool_]:
    """True on the test ratings of a fold; its two files must share out the ratings exactly."""
    mask = np.zeros(len(keys), np.bool_)
    mask[_find(table, keys, test)] = True
    if rest is not None:
        others = _find(table, keys, rest)
        both = np.flatnonzero(mask[others])
        if len(both):
            problem = f"the rating is also in {test.member.label}"
            remedy = "Restore both files from their origin."
            raise rest.fault(int(both[0]), rest.layout.item, problem, remedy)
        if mask.sum() + len(others) != len(keys):
            raise SourceError(
                f"{mask.sum():,} ratings here and {len(others):,} in {rest.member.label} are not "
                f"the {len(keys):,} of {table.member.label}",
                file=test.member.label,
                remedy="Restore the files from their origin.",
            )
    return mask


def _find(table: Table, keys: NDArray[np.int64], part: Table) -> NDArray[np.int64]:
    """Where the ratings of ``part`` stand in the sorted ``keys`` of the whole ``table``."""
    users, known_users = _translated(table.user_ids, part.user_ids, part.users)
    items, known_items = _translated(table.item_ids, part.item_ids, part.items)
    wanted = users * len(table.item_ids) + items
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = known_users & known_items & (keys[places] == wanted)
    if not found.all():
        problem = f"the rating is not in {table.member.label}"
        remedy = "Restore both files from their origin."
        raise part.fault(int(np.argmin(found)), part.layout.item, problem, remedy)
    in_order = np.sort(places)
    if np.any(in_order[1:] == in_order[:-1]):
        order = np.argsort(wanted, kind="stable")
        _refuse_repetition(part, wanted[order], order)
    return places


def _translated(
    ids: NDArray, part_ids: NDArray, positions: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    places = np.minimum(np.searchsorted(ids, part_ids), len(ids) - 1)
    known = ids[places] == part_ids
    return places[positions].astype(np.int64), known[positions]
