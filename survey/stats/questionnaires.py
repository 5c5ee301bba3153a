"""Scores of standard questionnaires, and means with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy.special import stdtrit

from survey.stats.intervals import check_confidence


@dataclass(frozen=True)
class Mean:
    """The mean of ``n`` values with its interval, in their unit; no interval for one value."""

    n: int
    mean: float
    low: float | None
    high: float | None
    confidence: float = 0.95


def mean(values: Sequence[float], confidence: float = 0.95) -> Mean:
    """The mean with Student's interval, which assumes independent, roughly normal values.

    Raises ValueError for no values, or unless 0 < confidence < 1.

    Source: Student, The probable error of a mean, Biometrika 6 (1908), 1-25.
    """
    if not values:
        raise ValueError("There is no mean of no values.")
    check_confidence(confidence)
    n, centre = len(values), fmean(values)
    if n == 1:
        return Mean(1, centre, None, None, confidence)
    reach = float(stdtrit(n - 1, (1 + confidence) / 2)) * stdev(values) / sqrt(n)
    return Mean(n, centre, centre - reach, centre + reach, confidence)


def sus_score(answers: Sequence[int]) -> float:
    """One person's score on the System Usability Scale, from 0 to 100 (not a percentage).

    ``answers`` are ten numbers from 1 (strongly disagree) to 5 (strongly agree), in item order.
    Odd items add their answer minus 1, even items 5 minus their answer; the sum is multiplied by
    2.5. Raises ValueError for anything but ten answers from 1 to 5.

    Source: J. Brooke, SUS: a 'quick and dirty' usability scale, in Usability Evaluation in
    Industry (1996), 189-194.
    """
    if len(answers) != 10 or not all(answer in {1, 2, 3, 4, 5} for answer in answers):
        raise ValueError(f"{list(answers)} are not ten answers from 1 to 5.")
    odd = sum(answer - 1 for answer in answers[0::2])
    even = sum(5 - answer for answer in answers[1::2])
    return 2.5 * (odd + even)
