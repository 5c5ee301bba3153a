"""Whether two systems differ on the same test ratings; the unit of all inference is the user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError
from recommender.core.metrics import UserFigures
from recommender.core.multiple_testing import holm

Measure = Literal["rmse", "mae", "ndcg_10"]
RESAMPLES = 10_000
CELLS = 4_000_000  #: users times resamples that are drawn at once: 32 MB
EXACT_UP_TO = 12  #: users, up to which the randomisation test goes through all signs

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Difference:
    """``value`` and its 95 % interval from ``low`` to ``high``, in the unit of the measure."""

    value: float
    low: float
    high: float


def compare_systems(
    reference: UserFigures,
    others: Mapping[str, UserFigures],
    measure: Measure = "rmse",
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> list[dict[str, Any]]:
    """How each system differs from the reference on the same users; one row each, ready for JSON.

    ``difference`` (the system's figure minus the reference's) with ``low`` and ``high`` is that of
    ``bootstrap``, ``p`` that of ``randomisation_p``, ``p_holm`` corrected over all rows, and
    ``t_difference`` with ``t_p`` the paired t test of the means of single users. ``n_users`` are
    the users compared: for "ndcg_10" those with a ranked list. A system without the measure has
    None in every column and does not count for the correction.

    Raises ConfigurationError if the figures are not of the same test ratings, or without users.
    """
    rows = []
    for name, other in others.items():
        pair = _pair(reference, other, measure)
        row: dict[str, Any] = {"system": name, "measure": measure}
        if pair is None:
            missing = ("n_users", "difference", "low", "high", "p", "t_difference", "t_p")
            rows.append({**row, **dict.fromkeys(missing)})
            continue
        found = bootstrap(*pair, root=measure == "rmse", seed=seed, resamples=resamples)
        t_difference, t_p = paired_t(*pair)
        rows.append(
            {
                **row,
                "n_users": len(pair[0]),
                "difference": found.value,
                "low": found.low,
                "high": found.high,
                "p": randomisation_p(*pair[:2], seed=seed, resamples=resamples),
                "t_difference": t_difference,
                "t_p": t_p,
            }
        )
    tested = [row["p"] for row in rows if row["p"] is not None]
    corrected = iter(holm(tested))
    return [{**row, "p_holm": None if row["p"] is None else next(corrected)} for row in rows]


def bootstrap(
    first: Sums,
    second: Sums,
    counts: NDArray[np.integer],
    *,
    root: bool,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Difference:
    """The second system's mean minus the first's, with a BCa bootstrap interval over users.

    ``first`` and ``second`` (m) are sums over each user's ``counts`` (m) test ratings; the mean is
    over all ratings. With ``root`` it is the difference of the roots of the means, as for RMSE.
    Users are drawn with all their ratings, the same for both systems. The interval is corrected
    for bias and acceleration, the latter by leaving out one user at a time; with a single user, or
    if the difference never varies, it is the difference itself.

    Source: B. Efron, Better bootstrap confidence intervals, JASA 82 (1987), 171-185.
    """
    from scipy.special import ndtr, ndtri

    columns = np.stack([first, second, counts], axis=1).astype(np.float64)
    value = float(_differences(columns.sum(axis=0), root))
    if len(counts) < 2:
        return Difference(value, value, value)
    draws = np.concatenate(
        [
            _differences(weights @ columns, root)
            for weights in _user_weights(len(counts), resamples, seed)
        ]
    )
    left_out = _differences(columns.sum(axis=0) - columns, root)
    if np.ptp(draws) == 0:
        return Difference(value, value, value)
    below = np.mean(draws < value) + np.mean(draws == value) / 2
    bias = ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    spread = left_out.mean() - left_out
    squares = np.sum(spread**2)
    acceleration = np.sum(spread**3) / (6 * squares**1.5) if squares else 0.0
    ends = bias + ndtri([0.025, 0.975])
    low, high = np.quantile(draws, ndtr(bias + ends / (1 - acceleration * ends)))
    return Difference(value, float(low), float(high))


def randomisation_p(
    first: Sums, second: Sums, *, seed: int = 0, resamples: int = RESAMPLES
) -> float:
    """The two-sided p-value of the hypothesis that each user's two sums (m) could be exchanged.

    The statistic is the absolute difference of the totals. It orders the exchanges as the
    difference of the means does, and as that of their roots, because both systems' totals together
    stay the same; so one p-value is that of the MSE and the RMSE. Up to EXACT_UP_TO users all
    exchanges are counted, otherwise ``resamples`` random ones and the observed one, so that the
    smallest p-value is 1 / (``resamples`` + 1).

    Source: M. D. Smucker, J. Allan and B. Carterette, A comparison of statistical significance
    tests for information retrieval evaluation, CIKM 2007, 623-632.
    """
    each = np.asarray(second - first, np.float64)
    observed = abs(each.sum())
    # Sums of the same numbers in another order are equal up to rounding.
    least = observed - 1e-12 * np.abs(each).sum()
    n = len(each)
    if n <= EXACT_UP_TO:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return float(np.mean(np.abs(signs @ each) >= least))
    rng, reached, left = np.random.default_rng(seed), 1, resamples
    while left:
        many = min(left, max(1, CELLS // n))
        signs = rng.integers(0, 2, (many, n), np.int8)
        reached += int(np.count_nonzero(np.abs(each.sum() - 2 * (signs @ each)) >= least))
        left -= many
    return reached / (resamples + 1)


def paired_t(first: Sums, second: Sums, counts: NDArray[np.integer]) -> tuple[float, float | None]:
    """The mean over users of the difference of their own means, and the p-value of its paired t.

    For RMSE these are means of squared errors. None with fewer than two users or if all
    differences are equal.
    """
    from scipy.stats import t as students_t

    each = (second - first) / counts
    n, mean = len(each), float(np.mean(each))
    deviation = float(np.std(each, ddof=1)) if n > 1 else 0.0
    if not deviation:
        return mean, None
    return mean, float(2 * students_t.sf(abs(mean) / (deviation / np.sqrt(n)), n - 1))


def _pair(
    reference: UserFigures, other: UserFigures, measure: Measure
) -> tuple[Sums, Sums, NDArray[np.integer]] | None:
    """Both systems' sums and the counts of each user (m); None if one lacks the measure."""
    same = np.array_equal(reference.users, other.users)
    if not same or not np.array_equal(reference.counts, other.counts) or not len(other.users):
        raise ConfigurationError(
            "The systems were not evaluated on the same test ratings. Evaluate them under the same "
            "split, split seed and data."
        )
    if measure == "ndcg_10":
        first, second, counts = reference.ndcg, other.ndcg, np.ones(len(other.users), np.int64)
    else:
        field = "squared" if measure == "rmse" else "absolute"
        first, second, counts = getattr(reference, field), getattr(other, field), other.counts
    known = np.isfinite(first) & np.isfinite(second)
    return (first[known], second[known], counts[known]) if known.any() else None


def _differences(sums: NDArray[np.float64], root: bool) -> NDArray[np.float64]:
    """The second mean minus the first, from (..., 3): two sums and the number of ratings."""
    first, second = sums[..., 0] / sums[..., 2], sums[..., 1] / sums[..., 2]
    if root:
        # Sums without one user are differences, which may be below zero by rounding.
        first, second = np.sqrt(np.maximum(first, 0)), np.sqrt(np.maximum(second, 0))
    return second - first


def _user_weights(n: int, resamples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each of n users is drawn, (b, n) for b resamples at a time."""
    rng, left = np.random.default_rng(seed), resamples
    while left:
        many = min(left, max(1, CELLS // n))
        drawn = rng.integers(0, n, (many, n)) + n * np.arange(many)[:, None]
        yield np.bincount(drawn.ravel(), minlength=many * n).reshape(many, n).astype(np.float64)
        left -= many
