"""Exact tests of a preference between two; they assume independent judgments."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import bdtr

from survey.stats.intervals import Proportion, check_share, proportion


@dataclass(frozen=True)
class Preference:
    """A share with its exact interval, and the exact two-sided p-value against one half."""

    share: Proportion
    p_value: float


def binomial_p(count: int, total: int) -> float:
    """The two-sided p-value of the exact sign test: of ``count`` out of ``total`` against 1/2.

    From 0 to 1. At one half the distribution is symmetric, so that doubling the smaller tail
    equals adding up all outcomes that are at most as likely as the observed one.

    Raises ValueError unless 0 <= count <= total and total >= 1.

    Source: J. Arbuthnot, Philosophical Transactions 27 (1710), 186-190.
    """
    check_share(count, total)
    return min(1.0, 2 * float(bdtr(min(count, total - count), total, 0.5)))


def preference(count: int, total: int, confidence: float = 0.95) -> Preference:
    """How often one of two was chosen: rate, Clopper-Pearson interval and `binomial_p`.

    Also serves for side balance: sides are drawn at random, so that a share of left choices away
    from one half shows a habit of the appraisers. Raises ValueError as in `clopper_pearson`.
    """
    return Preference(proportion(count, total, confidence), binomial_p(count, total))
