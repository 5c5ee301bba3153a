"""Figures of ranked lists with binary relevance, each list a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Hits = NDArray[np.bool_]  #: (m, k): whether the item at each place of a list is relevant


def ndcg(hits: Hits, relevant: NDArray[np.integer], depth: int = 10) -> NDArray[np.float64]:
    """Normalised discounted cumulative gain (m) of the first ``depth`` places, from 0 to 1.

    ``sum over places p of hit_p / log2(p + 1)``, divided by the sum of a list that begins with all
    ``relevant`` (m, at least 1) items. Jarvelin & Kekalainen, TOIS 2002, with gains of 0 and 1.
    """
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    best = np.concatenate(([0.0], np.cumsum(discounts)))[np.minimum(relevant, depth)]
    top = hits[:, :depth]
    return np.asarray(top @ discounts[: top.shape[1]] / best, np.float64)


def recall(hits: Hits, relevant: NDArray[np.integer], depth: int = 10) -> NDArray[np.float64]:
    """The share (m) of the ``relevant`` (m, at least 1) items in the first ``depth`` places."""
    return np.asarray(hits[:, :depth].sum(axis=1) / relevant, np.float64)


def reciprocal_rank(hits: Hits) -> NDArray[np.float64]:
    """One divided by the place (m) of the first relevant item, 0 if the list has none."""
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0.0)


def mean_popularity(items: NDArray[np.integer], counts: NDArray[np.integer]) -> float:
    """The mean number of ratings of the listed items; ``counts`` (n_items) are the ratings.

    ``items`` may have any shape; -1 is no item. NaN without an item. Average recommendation
    popularity of Yin et al., PVLDB 2012.
    """
    listed = items[items >= 0]
    return float(np.mean(counts[listed])) if len(listed) else np.nan


def novelty(items: NDArray[np.integer], counts: NDArray[np.integer], n_users: int) -> float:
    """The mean self-information in bits, -log2(ratings of the item / ``n_users``).

    0 for items that all users rated. Other arguments as for ``mean_popularity``; listed items have
    at least one rating. Zhou et al., PNAS 2010.
    """
    listed = items[items >= 0]
    return float(-np.mean(np.log2(counts[listed] / n_users))) if len(listed) else np.nan
