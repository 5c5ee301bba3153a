"""The three formats of MovieLens: CSV with a header, lines split by ``::``, and ml-100k."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Ratings, Scale
from recommender.core.readers.archive import SourceFile
from recommender.core.readers.columns import TableFormat
from recommender.core.readers.problems import Problems
from recommender.core.readers.tables import RatingsTable, read_table
from recommender.core.readers.to_ratings import pair_keys, sorted_order

WHOLE_STARS = Scale(1, 5, 1)
HALF_STARS = Scale(0.5, 5, 0.5)
HEADER = ("userId", "movieId", "rating", "timestamp")
CSV = TableFormat("movielens-csv", ",", HEADER, 0, 1, 2, 3, (HALF_STARS,), has_header=True)
DAT = TableFormat("movielens-dat", "::", HEADER, 0, 1, 2, 3, (WHOLE_STARS, HALF_STARS))
TABS = TableFormat(
    *("movielens-100k", "\t", ("user", "item", "rating", "timestamp"), 0, 1, 2, 3, (WHOLE_STARS,)),
    text_ids=False,  # because the ids of its folds are compared as numbers
)
#: The official splits of ml-100k.
FOLDS = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")
RESTORE = "Restore both files."


def read_folds(
    table: RatingsTable, ratings: Ratings, files: Mapping[str, SourceFile]
) -> dict[str, NDArray[np.bool_]]:
    """For each official split in ``files``, which ratings (n) are in its test set.

    SourceError if a split contains an unknown rating, or if its two files do not add up.
    """
    keys = pair_keys(ratings.rows(), ratings.indices, ratings.n_items)
    folds = {}
    for name in FOLDS:
        if f"{name}.test" not in files:
            continue
        test = read_table(files[f"{name}.test"], TABS, table.scale)
        mask = np.zeros(len(keys), np.bool_)
        mask[_find(table, keys, test)] = True
        if f"{name}.base" in files:
            _check_rest(
                table, keys, mask, test, read_table(files[f"{name}.base"], TABS, table.scale)
            )
        folds[name] = mask
    return folds


def _check_rest(
    table: RatingsTable,
    keys: NDArray[np.int64],
    mask: NDArray[np.bool_],
    test: RatingsTable,
    rest: RatingsTable,
) -> None:
    """Check that ``rest`` contains exactly the ratings that are not in the test set."""
    places = _find(table, keys, rest)
    if mask[places].any():
        row = int(np.argmax(mask[places]))
        raise rest.item_error(row, f"the rating is also in {test.file.label}", RESTORE)
    if len(test.items) + len(rest.items) != len(keys):
        raise SourceError(
            f"the {len(test.items):,} ratings here and the {len(rest.items):,} in "
            f"{rest.file.label} are not the {len(keys):,} of {table.file.label}",
            file=test.file.label,
            remedy=RESTORE,
        )


def _find(table: RatingsTable, keys: NDArray[np.int64], part: RatingsTable) -> NDArray[np.intp]:
    """The places of the ratings of ``part`` among the sorted ``keys`` of ``table``."""
    users, known_users = _translate(table.user_ids, part.user_ids, part.users)
    items, known_items = _translate(table.item_ids, part.item_ids, part.items)
    wanted = pair_keys(users, items, len(table.item_ids))
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    found = known_users & known_items & (keys[places] == wanted)
    if not found.all():
        problem = f"the rating is not in {table.file.label}"
        raise part.item_error(int(np.argmin(found)), problem, RESTORE)
    repeated = Problems(part.file.label)
    sorted_order(part, wanted, repeated)
    repeated.raise_any()
    return places


def _translate(
    ids: NDArray, part_ids: NDArray, positions: NDArray[np.int32]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Positions in ``part_ids`` (n) as positions in ``ids``, and whether the id exists there."""
    places = np.minimum(np.searchsorted(ids, part_ids), len(ids) - 1)
    return places[positions], (ids[places] == part_ids)[positions]
