"""The neighbours of items, and predicted ratings from those that a profile contains."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.configs.neighbours import ItemKNNConfig
from recommender.core.neighbours.predictions import Predicted
from recommender.core.neighbours.similarity import UserIndex, centre_rows
from recommender.core.ratings import Scale
from recommender.core.runs import Progress


def find_neighbours(
    matrix: csr_array, scale: Scale, config: ItemKNNConfig, progress: Callable[[Progress], None]
) -> csr_array:
    """The similarities (n_items, n_items; float32) of each item's neighbours, most similar first.

    The columns of a row are therefore not sorted. ``matrix`` is (n_users, n_items) in stars.
    """
    columns = csr_array(matrix).T.tocsr()
    n_items = columns.shape[0]
    limit = config.k if config.neighbours == "overall" else config.stored
    ranked = UserIndex(columns, scale, config).ranked(
        columns, exclude=np.arange(n_items), limit=limit or None
    )
    starts, neighbours, similarities = [0], [], []
    for item, near in enumerate(ranked):
        progress(Progress("training", item, n_items))
        starts.append(starts[-1] + len(near.users))
        neighbours.append(near.users.astype(np.int32))
        similarities.append(near.similarities.astype(np.float32))
    parts = np.concatenate(similarities), np.concatenate(neighbours), np.array(starts)
    return csr_array(parts, shape=(n_items, n_items))


class ItemPredictor:
    """Predictions from the neighbours of items; a user is known by the profile alone.

    With r the stars that a profile gave to neighbour j of item i, s their similarity and m the
    means (zero unless ``config.centre`` says otherwise):

    - ``mean``: m_i + sum s (r - m_j) / sum |s| over the neighbours in the profile;
    - ``sum``: m_i + sum s (r - m_j), the paper's R_i I_j as printed (section II) if m is zero.

    If ``config.mean_of`` is "user", every m is the mean of the profile. The weight is sum |s|.
    """

    pairs_at_once = 2_000  #: pairs to ask for in one call, so that a caller can report progress

    def __init__(self, matrix: csr_array, neighbours: csr_array, config: ItemKNNConfig) -> None:
        """``matrix`` is (n_users, n_items) in stars, ``neighbours`` is from ``find_neighbours``."""
        self._config, self._similarities = config, neighbours.data
        # What the matrix of lists contains are positions in the array of similarities. They ascend
        # in the order of items and, for each item, of its neighbours.
        positions = np.arange(len(neighbours.data), dtype=neighbours.indices.dtype)
        parts = positions, neighbours.indices, neighbours.indptr
        self._lists = csr_array(parts, shape=neighbours.shape)
        self._lists_with = self._lists.tocsc()
        self._means = np.zeros(neighbours.shape[0])
        if config.centre != "nothing" and config.mean_of == "item":
            self._means = centre_rows(csr_array(matrix).T.tocsr().astype(np.float64))[1]

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Predicted:
        """As ``PlainPredictor.pairs``; it does not matter who owns a profile."""
        stars, weight = np.zeros(len(rows)), np.zeros(len(rows))
        order = np.argsort(rows)
        edges = np.searchsorted(rows[order], np.arange(profiles.shape[0] + 1))
        for row in range(profiles.shape[0]):
            pairs = order[edges[row] : edges[row + 1]]
            lists = self._lists[items[pairs]]
            place = np.repeat(np.arange(len(pairs)), np.diff(lists.indptr))
            stars[pairs], weight[pairs] = self._combine(
                profiles[[row]], lists.data, place, items[pairs]
            )
        return stars, weight

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Predicted:
        """As ``PlainPredictor.grid``."""
        stars, weight = np.zeros(profiles.shape), np.zeros(profiles.shape)
        items = np.arange(profiles.shape[1])
        for row in range(profiles.shape[0]):
            profile = profiles[[row]]
            # Of all lists only the entries with a rated item, which are few.
            positions = np.sort(self._lists_with[:, profile.indices].data)
            place = np.searchsorted(self._lists.indptr, positions, side="right") - 1
            stars[row], weight[row] = self._combine(profile, positions, place, items)
        return stars, weight

    def _combine(
        self,
        profile: csr_array,
        positions: NDArray[np.integer],
        place: NDArray[np.integer],
        items: NDArray[np.int64],
    ) -> Predicted:
        """Stars and weights of ``items``; entry ``positions[e]`` is of item ``items[place[e]]``."""
        config, means = self._config, self._means
        if config.centre != "nothing" and config.mean_of == "user":
            means = np.full(len(means), centre_rows(profile.astype(np.float64))[1])
        given = np.full(len(means), np.nan)
        given[profile.indices] = profile.data - means[profile.indices]
        given = given[self._lists.indices[positions]]
        near = ~np.isnan(given)
        positions, place, given = positions[near], place[near], given[near]
        if config.neighbours == "rated":
            rank = np.arange(len(place)) - np.searchsorted(place, np.arange(len(items)))[place]
            near = rank < config.k
            positions, place, given = positions[near], place[near], given[near]
        similarities = self._similarities[positions].astype(np.float64)
        total, weight = np.zeros(len(items)), np.zeros(len(items))
        total += np.bincount(place, similarities * given, len(items))
        weight += np.bincount(place, np.abs(similarities), len(items))
        if config.combine == "mean":
            total = np.divide(total, weight, out=np.zeros(len(items)), where=weight > 0)
        return means[items] + total, weight
