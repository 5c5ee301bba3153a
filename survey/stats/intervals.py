"""Intervals for one share; they assume independent judgments."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import betaincinv


@dataclass(frozen=True)
class Proportion:
    """A share of judgments with its exact interval, which assumes independent judgments.

    ``count`` of ``total`` judgments, 0 <= count <= total, total >= 1. ``rate``, ``low``, ``high``
    and ``confidence`` are shares from 0 to 1, with low <= rate <= high.
    """

    count: int
    total: int
    rate: float
    low: float
    high: float
    confidence: float = 0.95


def clopper_pearson(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact (conservative) interval of a binomial share, as (low, high), each from 0 to 1.

    It covers the true share with probability ``confidence`` or more. Each end is the share at
    which a count as extreme as the observed one has probability (1 - confidence) / 2, a quantile
    of a beta distribution; low is 0 for count 0, and high is 1 for count ``total``.

    Raises ValueError unless 0 <= count <= total, total >= 1 and 0 < confidence < 1.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413.
    """
    check_share(count, total)
    check_confidence(confidence)
    tail = (1 - confidence) / 2
    low = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return low, high


def proportion(count: int, total: int, confidence: float = 0.95) -> Proportion:
    """``count / total`` with its Clopper-Pearson interval; errors as in `clopper_pearson`."""
    low, high = clopper_pearson(count, total, confidence)
    return Proportion(count, total, count / total, low, high, confidence)


def check_share(count: int, total: int) -> None:
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is not a share of at least one judgment.")


def check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence} is not between 0 and 1.")
