"""Errors of parts of the test ratings: by user, popularity of the item, and size of the profile."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.splitting import Split

SIZES = (0, 1, 10, 20, 50, 100, 200, 500)  #: where each stratum of profile sizes begins
TENTHS = 10


def errors_by_stratum(
    split: Split, sizes: NDArray[np.int64], differences: NDArray[np.float64] | None
) -> dict[str, list[dict[str, Any]]]:
    """Number of test ratings, RMSE and MAE of each stratum, ready for JSON.

    ``sizes`` (n_test) are the numbers of ratings in the profiles that were used; ``differences``
    (n_test) are predictions minus ratings, None if there are none. Figures of a stratum without
    test ratings are None. ``users``: with (warm) and without (cold) a training rating.
    ``popularity``: see ``popularity_tenths``. ``profile_size``: by the numbers in SIZES.
    """
    warm = np.diff(split.train.indptr)[split.test_rows] > 0
    tenths = popularity_tenths(np.bincount(split.train.indices, minlength=split.train.n_items))
    bins = np.searchsorted(SIZES, sizes, side="right") - 1
    ends = [f"-{end - 1}" if end - 1 > start else "" for start, end in pairwise(SIZES)]
    ranges = [f"{start}{end}" for start, end in zip(SIZES, [*ends, "+"], strict=True)]
    tenth_names = ["unrated", *(str(tenth + 1) for tenth in range(TENTHS))]
    return {
        "users": _rows(["cold", "warm"], warm.astype(np.int64), differences),
        "popularity": _rows(tenth_names, tenths[split.test_items] + 1, differences),
        "profile_size": _rows(ranges, bins, differences),
    }


def popularity_tenths(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """The tenth, 0 to 9, of each item (n_items) with ``counts`` training ratings; -1 for none.

    Items are ordered by their counts, the rarest first, and each tenth holds about a tenth of all
    ratings. Items with equal counts are in the same tenth.
    """
    levels, place, items = np.unique(counts, return_inverse=True, return_counts=True)
    before = np.concatenate(([0], np.cumsum(levels * items)[:-1]))  # ratings of rarer items
    middle = before + levels * items / 2
    tenths = np.minimum(TENTHS * middle / max(1, counts.sum()), TENTHS - 1).astype(np.int64)
    return np.where(counts > 0, tenths[place], -1)


def _rows(
    names: Sequence[str], places: NDArray[np.int64], differences: NDArray[np.float64] | None
) -> list[dict[str, Any]]:
    counts = np.bincount(places, minlength=len(names))
    rows: list[dict[str, Any]] = [
        {"name": name, "n_test": int(count), "rmse": None, "mae": None}
        for name, count in zip(names, counts, strict=True)
    ]
    if differences is not None:
        squared = np.bincount(places, differences**2, len(names))
        absolute = np.bincount(places, np.abs(differences), len(names))
        for row, square, distance in zip(rows, squared, absolute, strict=True):
            if n := row["n_test"]:
                row |= {"rmse": float(np.sqrt(square / n)), "mae": float(distance / n)}
    return rows
