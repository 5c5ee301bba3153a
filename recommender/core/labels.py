"""Labels of items, such as genres, tags or the people of a film."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

#: the kinds of labels that a data set may have
KINDS = ("genres", "tags", "genome", "keywords", "people")


@dataclass(frozen=True, eq=False)
class ItemLabels:
    """n statements that a label applies to an item, all of one of the ``KINDS``.

    ``names`` (n_labels) are the labels as text. ``items`` (n, int32) and ``labels`` (n, int32) are
    positions in the rating matrix and in ``names``; pairs may be repeated. ``weights`` (n,
    float32) are positive: relevances for the genome, otherwise 1. ``times`` (n, int64: seconds
    since 1970 UTC) is None if the source has none, as for genres.
    """

    names: NDArray[np.str_]
    items: NDArray[np.int32]
    labels: NDArray[np.int32]
    weights: NDArray[np.float32]
    times: NDArray[np.int64] | None = None

    def matrix(self, n_items: int) -> csr_array:
        """The sums of weights (n_items, n_labels, float32) of each item and label."""
        from scipy.sparse import csr_array

        shape = n_items, len(self.names)
        return csr_array((self.weights, (self.items, self.labels)), shape=shape)

    def before(self, time: int) -> ItemLabels:
        """The statements made before ``time``; all of them if the source has no times."""
        if self.times is None:
            return self
        kept = self.times < time
        return ItemLabels(
            self.names, self.items[kept], self.labels[kept], self.weights[kept], self.times[kept]
        )


def collect_labels(statements: Iterable[tuple[int, str, int]], *, timed: bool) -> ItemLabels:
    """Labels, each of weight 1, from (item position, label, seconds since 1970 UTC).

    The labels are sorted by name. Unless ``timed``, the times are left out.
    """
    codes: dict[str, int] = {}
    rows = np.array(
        [(item, codes.setdefault(text, len(codes)), time) for item, text, time in statements],
        np.int64,
    ).reshape(-1, 3)
    names = np.array(list(codes), np.str_)
    order = np.argsort(names)
    return ItemLabels(
        names=names[order],
        items=rows[:, 0].astype(np.int32),
        labels=np.argsort(order)[rows[:, 1]].astype(np.int32),
        weights=np.ones(len(rows), np.float32),
        times=rows[:, 2].copy() if timed else None,
    )


def genre_labels(genres: Iterable[tuple[int, list[str]]]) -> ItemLabels:
    """The genres of items from (item position, genres)."""
    return collect_labels(
        ((item, name, 0) for item, names in genres for name in names), timed=False
    )
