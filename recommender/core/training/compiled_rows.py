"""The compiled half of ``rows``."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recommender.core.compiling import kernel


@partial(kernel, error_model="numpy")  # half the time of a step on rows: it divides
def step(
    weights: NDArray,
    means: NDArray,
    squares: NDArray,
    rows: NDArray,
    offsets: NDArray,
    columns: NDArray,
    factors: NDArray,
    first: NDArray,
    second: NDArray,
    rates: NDArray,
    start: int,
    stop: int,
) -> None:
    """``rows.step_on_rows`` for the rows ``start`` to ``stop``; ``rates`` are ``rows.Rates``."""
    width = weights.shape[1]
    share_mean, share_square, root = rates[0], rates[1], rates[2]
    epsilon, rate, kept = rates[3], rates[4], rates[5]
    gradient = np.empty(width, weights.dtype)
    for at in range(start, stop):
        gradient[:] = 0
        for s in range(offsets[at], offsets[at + 1]):
            column, factor = columns[s], factors[s]
            line = first[column] if column < len(first) else second[column - len(first)]
            for j in range(width):
                gradient[j] += factor * line[j]
        row = rows[at]
        weight, mean, square = weights[row], means[row], squares[row]
        for j in range(width):
            slope = gradient[j]
            mean[j] += share_mean * (slope - mean[j])
            square[j] += share_square * (slope * slope - square[j])
            weight[j] = kept * weight[j] - rate * mean[j] / (np.sqrt(square[j]) * root + epsilon)
