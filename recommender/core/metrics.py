"""Errors of predicted ratings, over all ratings and for each user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

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


@dataclass(frozen=True, eq=False)
class UserFigures:
    """What one evaluation measured for each of m test users.

    ``users`` (m) are row positions in ascending order, and ``counts`` (m) their test ratings.
    ``squared`` and ``absolute`` (m) are sums of errors over them, NaN for a system that predicts
    no ratings. ``ndcg`` (m) is NaN for users without a ranked list.
    """

    users: NDArray[np.int64]
    counts: NDArray[np.int64]
    squared: NDArray[np.float64]
    absolute: NDArray[np.float64]
    ndcg: NDArray[np.float64]

    def to_arrays(self) -> dict[str, NDArray]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray]) -> UserFigures:
        return cls(**{item.name: np.asarray(arrays[item.name]) for item in fields(cls)})


def average_users(figures: Sequence[UserFigures]) -> UserFigures:
    """The means, for each user, of evaluations on the same test ratings (one for each seed).

    Raises ConfigurationError if the test ratings of a user differ in number.
    """
    first = figures[0]
    if any(
        not np.array_equal(one.users, first.users) or not np.array_equal(one.counts, first.counts)
        for one in figures
    ):
        raise ConfigurationError(
            "The evaluations are of different test ratings. Average those of one split and seed."
        )
    means = {
        name: np.mean([getattr(one, name) for one in figures], axis=0)
        for name in ("squared", "absolute", "ndcg")
    }
    return UserFigures(first.users, first.counts, **means)


def sum_by_user(
    rows: NDArray[np.int64], actual: ArrayLike, predicted: ArrayLike, ndcg: NDArray[np.float64]
) -> UserFigures:
    """The errors of n test ratings, whose users are ``rows`` (n), summed for each user.

    ``ndcg`` is (m), for the users in ascending order. Errors as for ``mse``.
    """
    differences = _differences(actual, predicted)
    users, place, counts = np.unique(rows, return_inverse=True, return_counts=True)
    squared, absolute = np.zeros(len(users)), np.zeros(len(users))
    squared += np.bincount(place, differences**2, len(users))
    absolute += np.bincount(place, np.abs(differences), len(users))
    return UserFigures(users, counts, squared, absolute, ndcg)


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
