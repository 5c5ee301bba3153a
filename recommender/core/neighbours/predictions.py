"""Predicted ratings from neighbours, for every configuration."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.neighbours.similarity import RankedUsers, UserIndex, centre_rows
from recommender.core.neighbours.trees import TreeIndex
from recommender.core.ratings import Scale

if TYPE_CHECKING:
    from recommender.core.neighbours.fast.nearest_raters import CompiledPredictor
    from recommender.core.neighbours.fast.nearest_users import CompiledIndex

COMPILE_FROM_USERS = 5_000  #: compiling takes up to a minute, once on each machine

Predicted = tuple[NDArray[np.float64], NDArray[np.float64]]


class Predictor(Protocol):
    """Whatever predicts stars from neighbours; ``PlainPredictor`` describes the methods."""

    pairs_at_once: int

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Predicted: ...

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Predicted: ...


def build_predictor(
    matrix: csr_array, scale: Scale, config: UserKNNConfig, threads: int | None = None
) -> PlainPredictor | CompiledPredictor:
    """The fastest predictor for ``matrix`` (n_users, n_items; stars); all give the same numbers."""
    if matrix.shape[0] >= COMPILE_FROM_USERS and find_spec("numba") is not None:
        from recommender.core.neighbours.fast.search import compile_predictor

        if compiled := compile_predictor(matrix, scale, config, threads):
            return compiled
    return PlainPredictor(matrix, scale, config)


class PlainPredictor:
    """Predictions by numpy and scipy.

    With r the stars of a neighbour, less the neighbour's mean if ``config.centre`` says so, and s
    their similarity, over at most k neighbours:

    - ``mean``: sum s r / sum |s| over the neighbours who rated the item, with sum |s| as weight;
    - ``mean-with-zeros``: both sums run over all neighbours, and a missing rating counts as zero;
    - ``sum``: sum s r, the paper's R_j^T S_i as printed (section II), with sum |s| as weight.
    """

    pairs_at_once = 2_000  #: pairs to ask for in one call, so that a caller can report progress

    def __init__(
        self,
        matrix: csr_array,
        scale: Scale,
        config: UserKNNConfig,
        index: CompiledIndex | None = None,
    ) -> None:
        """``index`` finds the neighbours in another way than ``config.search`` says."""
        search = UserIndex if config.search == "blocks" else TreeIndex
        self._config = config
        self._index: UserIndex | TreeIndex | CompiledIndex = index or search(matrix, scale, config)
        stars = csr_array(matrix).astype(np.float64)
        if config.centre != "nothing":
            stars = centre_rows(stars)[0]
        self._by_item = stars.T.tocsr()
        self._rated = csr_array(self._by_item)
        self._rated.data = np.ones(len(self._rated.data))

    def pairs(
        self,
        profiles: csr_array,
        own: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
    ) -> Predicted:
        """Stars and weights, each (n,), for the profiles ``rows`` (n,) and the ``items`` (n,).

        ``profiles`` is (m, n_items) in stars. ``own[row]`` is the training user whose profile the
        row is, who is not their own neighbour; None for profiles of other people. A weight says
        how much similarity is behind the stars, 0 for no neighbour.
        """
        asked, inverse = np.unique(rows, return_inverse=True)
        pairs_of = np.split(np.argsort(inverse, kind="stable"), np.cumsum(np.bincount(inverse)))
        stars, weight = np.zeros(len(rows)), np.zeros(len(rows))
        neighbours = self._neighbours(profiles[asked], None if own is None else own[asked])
        for (ranked, mean), pairs in zip(neighbours, pairs_of, strict=False):
            found, weight[pairs] = self._combine(ranked, items[pairs])
            stars[pairs] = mean + found
        return stars, weight

    def grid(self, profiles: csr_array, own: NDArray[np.int64] | None) -> Predicted:
        """Stars and weights of every profile and item, each (m, n_items)."""
        stars, weight = np.zeros(profiles.shape), np.zeros(profiles.shape)
        for row, (ranked, mean) in enumerate(self._neighbours(profiles, own)):
            found, weight[row] = self._combine(ranked, np.arange(profiles.shape[1]))
            stars[row] = mean + found
        return stars, weight

    def _neighbours(
        self, profiles: csr_array, own: NDArray[np.int64] | None
    ) -> Iterator[tuple[RankedUsers, float]]:
        """The neighbours of each profile, and the mean that its predictions start from."""
        means = np.zeros(profiles.shape[0])
        if self._config.centre != "nothing":
            means = centre_rows(profiles.astype(np.float64))[1]
        limit = self._config.k if self._config.neighbours == "overall" else None
        return zip(self._index.ranked(profiles, exclude=own, limit=limit), means, strict=True)

    def _combine(self, ranked: RankedUsers, items: NDArray[np.int64]) -> Predicted:
        if self._config.neighbours == "raters":
            total, weight = self._sum_over_raters(ranked, items)
        else:
            similarities = np.zeros(self._index.n_users)
            similarities[ranked.users] = ranked.similarities
            total = (self._by_item @ similarities)[items]
            weight = (self._rated @ np.abs(similarities))[items]
            if self._config.combine == "mean-with-zeros":
                weight[:] = np.abs(similarities).sum()
        if self._config.combine == "sum":
            return total, weight
        return np.divide(total, weight, out=np.zeros(len(items)), where=weight > 0), weight

    def _sum_over_raters(self, ranked: RankedUsers, items: NDArray[np.int64]) -> Predicted:
        """Sums of similarity times stars and of similarities over the k nearest raters."""
        n, n_items = len(ranked.users), len(items)
        rank_of = np.full(self._index.n_users, n)
        rank_of[ranked.users] = np.arange(n)
        raters = self._by_item[items]
        shape = n_items, n + 1
        by_rank = csr_array((raters.data, rank_of[raters.indices], raters.indptr), shape)
        by_rank = by_rank.tocsc().tocsr()  # orders each row by rank, in linear time
        item = np.repeat(np.arange(n_items), np.diff(by_rank.indptr))
        place = np.arange(len(item)) - by_rank.indptr[item]
        near = (place < self._config.k) & (by_rank.indices < n)
        similarities = ranked.similarities[by_rank.indices[near]]
        given, item = by_rank.data[near], item[near]
        total, weight = np.zeros(n_items), np.zeros(n_items)
        total += np.bincount(item, similarities * given, n_items)
        weight += np.bincount(item, np.abs(similarities), n_items)
        return total, weight
