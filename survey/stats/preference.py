"""Is one of two preferred? Exact answers that assume independent judgments."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import bdtr

from survey.stats.intervals import Proportion, proportion


@dataclass(frozen=True)
class Preference:
    """A share with its exact interval and the exact test against one half.

    Assumes independent judgments.
    """

    share: Proportion
    p_value: float


def binomial_p(count: int, total: int) -> float:
    """How often a fair coin is at least as far from one half as ``count`` of ``total``.

    The exact two-sided sign test. At one half the distribution is symmetric, so that doubling
    the smaller tail and adding up all outcomes no likelier than this one are the same.
    ValueError unless 0 <= count <= total and total >= 1.

    Source: J. Arbuthnot, Philosophical Transactions 27 (1710), 186-190.
    """
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"{count} of {total} is not a share of at least one judgment.")
    smaller = min(count, total - count)
    return min(1.0, 2 * float(bdtr(smaller, total, 0.5)))


def preference(count: int, total: int, confidence: float = 0.95) -> Preference:
    """How often one arm was preferred: rate, Clopper-Pearson interval, p against one half."""
    return Preference(proportion(count, total, confidence), binomial_p(count, total))


def side_balance(left: int, total: int, confidence: float = 0.95) -> Preference:
    """How often the left recommendation was chosen, whichever arm stood there.

    Sides are drawn, so a share away from one half is a habit of the appraisers, not taste.
    """
    return preference(left, total, confidence)
