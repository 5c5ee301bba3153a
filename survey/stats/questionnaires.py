"""Scores of standard questionnaires, and means with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.special import stdtrit


@dataclass(frozen=True)
class Mean:
    """A mean of ``n`` values; ``low`` to ``high`` is its interval, None for a single value."""

    n: int
    mean: float
    low: float | None
    high: float | None
    confidence: float = 0.95


def mean(values: Sequence[float], confidence: float = 0.95) -> Mean:
    """The mean with Student's interval, which assumes independent and about normal values.

    ValueError for no values, or unless 0 < confidence < 1.

    Source: Student, The probable error of a mean, Biometrika 6 (1908), 1-25.
    """
    if not values:
        raise ValueError("There is no mean of no values.")
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence of {confidence} is not between 0 and 1.")
    n, centre = len(values), fmean(values)
    if n == 1:
        return Mean(1, centre, None, None, confidence)
    reach = float(stdtrit(n - 1, (1 + confidence) / 2)) * stdev(values) / sqrt(n)
    return Mean(n, centre, centre - reach, centre + reach, confidence)


def sus_score(answers: Sequence[int]) -> float:
    """The score of one person's ten answers to the System Usability Scale, from 0 to 100.

    Each answer is from 1 (strongly disagree) to 5 (strongly agree), in the order of the items. An
    odd item adds its answer less 1, an even one 5 less its answer; the sum is taken 2.5 times. It
    is no percentage. ValueError unless there are ten answers from 1 to 5.

    Source: J. Brooke, SUS: a 'quick and dirty' usability scale, in Usability Evaluation in
    Industry (1996), 189-194.
    """
    if len(answers) != 10 or not all(answer in {1, 2, 3, 4, 5} for answer in answers):
        raise ValueError(f"{list(answers)} are not ten answers from 1 to 5.")
    odd = sum(answer - 1 for answer in answers[0::2])
    even = sum(5 - answer for answer in answers[1::2])
    return 2.5 * (odd + even)
