"""Intervals for one share; they assume independent judgments."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import betaincinv


@dataclass(frozen=True)
class Proportion:
    """``count`` of ``total`` with the exact interval ``low`` to ``high``, shares between 0 and 1.

    Assumes independent judgments.
    """

    count: int
    total: int
    rate: float
    low: float
    high: float
    confidence: float = 0.95


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a binomial share: it covers the truth at least ``confidence``.

    Each end is the share at which the observed count or one further out has probability
    (1 - confidence) / 2, a quantile of a beta distribution. 0 of n begins at 0, n of n ends at 1.
    ValueError unless 0 <= count <= total, total >= 1 and 0 < confidence < 1.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413.
    """
    _check(count, total, confidence)
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high


def proportion(count: int, total: int, confidence: float = 0.95) -> Proportion:
    """The share with its Clopper-Pearson interval."""
    low, high = clopper_pearson(count, total, confidence)
    return Proportion(count, total, count / total, low, high, confidence)


def _check(count: int, total: int, confidence: float) -> None:
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is not a share of at least one judgment.")
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence} is not between 0 and 1.")
