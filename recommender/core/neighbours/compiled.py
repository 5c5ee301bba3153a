"""The two loops in which the plain form spends its time; they give the same, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recommender.core.compiling import kernel


@kernel
def product(
    starts: NDArray,
    columns: NDArray,
    values: NDArray,
    other_starts: NDArray,
    other_columns: NDArray,
    other_values: NDArray,
    out: NDArray,
) -> None:
    """Add the product of two CSR matrices to ``out``, which is dense: added up as scipy does."""
    for row in range(len(starts) - 1):
        line = out[row]
        for s in range(starts[row], starts[row + 1]):
            value, other = values[s], columns[s]
            for t in range(other_starts[other], other_starts[other + 1]):
                # unsigned, or numba tests every index for counting from the end
                line[np.uint32(other_columns[t])] += value * other_values[t]


@kernel
def sums(
    starts: NDArray,
    raters: NDArray,
    stars: NDArray,
    items: NDArray,
    rank_of: NDArray,
    similarities: NDArray,
    k: int,
    total: NDArray,
    weight: NDArray,
) -> None:
    """Into ``total`` and ``weight`` the sums of similarity times stars, and of similarities.

    Movie i has the ``raters`` and ``stars`` from ``starts[i]`` to ``starts[i + 1]``. ``rank_of``
    every user is the place in ``similarities``, or their number for one who is no neighbour.
    """
    n_ranked = len(similarities)
    ranks, given = np.empty(k, np.int64), np.empty(k)
    for at, movie in enumerate(items):
        n = 0
        for s in range(starts[movie], starts[movie + 1]):
            rank = rank_of[raters[s]]
            if rank >= n_ranked or (n == k and rank > ranks[k - 1]):
                continue
            n = min(n + 1, k)
            place = n - 1
            while place > 0 and ranks[place - 1] > rank:
                ranks[place], given[place] = ranks[place - 1], given[place - 1]
                place -= 1
            ranks[place], given[place] = rank, stars[s]
        above = below = 0.0
        for t in range(n):  # nearest first: the same sum as in the plain form
            above += similarities[ranks[t]] * given[t]
            below += abs(similarities[ranks[t]])
        total[at], weight[at] = above, below
