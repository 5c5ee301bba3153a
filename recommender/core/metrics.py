"""Errors of predicted stars: one figure over all ratings, and one value per user."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.core.errors import ConfigurationError

Metric = Callable[[ArrayLike, ArrayLike], float]


def mse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean squared error, in squared stars: mean((predicted - actual)^2) over n ratings.

    The paper prints this formula (Eq. 1, with an index misplaced) under the name RMSE. Raises
    ConfigurationError for arrays of different length, without elements, or with a NaN.
    """
    return float(np.mean(_differences(actual, predicted) ** 2))


def rmse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Root mean squared error, in stars: the square root of ``mse``; errors as there."""
    return float(np.sqrt(mse(actual, predicted)))


def mae(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Mean absolute error, in stars: mean(|predicted - actual|); errors as for ``mse``."""
    return float(np.mean(np.abs(_differences(actual, predicted))))


def per_user(
    metric: Metric, users: ArrayLike, actual: ArrayLike, predicted: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The metric of each user's own ratings: (user positions ascending, one value each).

    ``users`` (n) is the user position of each rating. The mean of the values is the macro
    average, in which a user with one rating weighs as much as one with a thousand.
    """
    users, actual, predicted = np.asarray(users), np.asarray(actual), np.asarray(predicted)
    order = np.argsort(users, kind="stable")
    found, starts = np.unique(users[order], return_index=True)
    parts = zip(
        np.split(actual[order], starts[1:]), np.split(predicted[order], starts[1:]), strict=True
    )
    values = [metric(*part) for part in parts] if len(users) else []
    return found.astype(np.int64), np.asarray(values, np.float64)


def _differences(actual: ArrayLike, predicted: ArrayLike) -> NDArray[np.float64]:
    left, right = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if left.shape != right.shape or left.size == 0:
        raise ConfigurationError(
            f"Errors need as many predictions as ratings, and at least one; there are "
            f"{right.size} predictions and {left.size} ratings."
        )
    differences = right - left
    if np.isnan(differences).any():
        raise ConfigurationError("A prediction or a rating is NaN. Predict every pair first.")
    return differences
