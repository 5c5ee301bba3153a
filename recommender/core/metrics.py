"""Errors of predicted ratings."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.core.errors import ConfigurationError


def mse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean squared error, in squared stars: mean((predicted - actual)^2) over n ratings.

    The paper calls this formula RMSE (Eq. 1, with a misplaced index). Raises ConfigurationError
    for arrays that differ in length, are empty or contain NaN.
    """
    return float(np.mean(_differences(actual, predicted) ** 2))


def rmse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Root mean squared error, in stars: the square root of ``mse``, which see for errors."""
    return float(np.sqrt(mse(actual, predicted)))


def mae(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error, in stars: mean(|predicted - actual|); errors as for ``mse``."""
    return float(np.mean(np.abs(_differences(actual, predicted))))


def _differences(actual: ArrayLike, predicted: ArrayLike) -> NDArray[np.float64]:
    left, right = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if left.shape != right.shape or left.size == 0:
        raise ConfigurationError(
            f"An error needs one prediction for each rating, and at least one rating; there are "
            f"{right.size} predictions and {left.size} ratings."
        )
    differences = right - left
    if np.isnan(differences).any():
        raise ConfigurationError("A prediction or a rating is NaN. Predict every pair first.")
    return differences
