"""From the rows of a file to Ratings: sorted, every pair once, every movie known, folds found."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Ratings, Scale
from recommender.core.readers import bulk
from recommender.core.readers.catalogue import Catalogue
from recommender.core.readers.columns import joined
from recommender.core.readers.table import Table

#: ratings from which on loading the compiled code pays
MANY = 5_000_000
#: ratings moved at once by one thread
PIECE = 1 << 19


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
    indptr, indices, order = table.indptr, table.items, None
    if indptr is None:
        per_user = np.bincount(table.users, minlength=len(table.user_ids))
        indptr = np.concatenate(([0], np.cumsum(per_user))).astype(np.int64)
        order = _stable_order((table.items, table.item_ids), (table.users, table.user_ids))
        indices = _gathered(table.items, order)
        again = indices[1:] == indices[:-1]
        again[indptr[1:-1] - 1] = False  # the last movie of one user and the first of the next
        _refuse_repetition(table, np.flatnonzero(again), order)
    masks = {}
    if folds:
        users = np.repeat(np.arange(len(table.user_ids)), np.diff(indptr))
        keys = users * len(table.item_ids) + indices
        masks = {name: _fold_mask(table, keys, *parts) for name, parts in folds.items()}
    return Ratings(
        indptr=indptr,
        indices=indices,
        values=_gathered(table.values, order),
        timestamps=None if table.timestamps is None else _gathered(table.timestamps, order),
        user_ids=table.user_ids,
        item_ids=table.item_ids,
        scale=scale,
        folds=masks,
    )


def _stable_order(*columns: tuple[NDArray[np.int32], NDArray]) -> NDArray[np.integer]:
    """The order by the last column, ties by the one before it, then by place.

    A column comes with its ids, to which its positions point.
    """
    n = len(columns[0][0])
    order: NDArray[np.integer] = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    for column, ids in columns:
        many = n >= MANY and bulk.is_compiled()
        order = bulk.counted(column, len(ids), order) if many else _by_digits(column, order)
    return order


def _by_digits(column: NDArray[np.int32], order: NDArray[np.integer]) -> NDArray[np.integer]:
    """Digit by digit of 16 bits, which numpy sorts by counting: half the time of comparisons."""
    for shift in range(0, int(column.max()).bit_length(), 16):
        digit = (column >> shift).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return order


def _gathered(values: NDArray, order: NDArray[np.integer] | None) -> NDArray:
    """``values`` in the given order, on all processors: memory answers them side by side."""
    if order is None:
        return values
    pieces = np.array_split(order, max(1, len(order) // PIECE))
    return joined(
        pieces, values.dtype.type, lambda part, out: np.take(values, part, out=out, mode="clip")
    )


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


def _refuse_repetition(table: Table, again: NDArray[np.int64], order: NDArray[np.integer]) -> None:
    """``again``: where in the stable ``order`` a rating stands that the next one repeats."""
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
        wanted = wanted[order]
        _refuse_repetition(part, np.flatnonzero(wanted[1:] == wanted[:-1]), order)
    return places


def _translated(
    ids: NDArray, part_ids: NDArray, positions: NDArray
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    places = np.minimum(np.searchsorted(ids, part_ids), len(ids) - 1)
    known = ids[places] == part_ids
    return places[positions].astype(np.int64), known[positions]
