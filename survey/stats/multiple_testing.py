"""Several tests at once: p-values that hold for all of them together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float], *, family: int | None = None) -> list[float]:
    """Holm's corrected p-values, between 0 and 1, in the order in which the p-values are given.

    Whoever calls each test significant whose corrected value is at most alpha calls even one true
    null hypothesis false with a probability of at most alpha, however the tests depend on one
    another. Of m tests the k-th smallest p-value is multiplied by m - k + 1; a larger p-value is
    never given a smaller corrected one. ``family`` is m, where more tests were planned than have
    a p-value; by default m is their number.
    ValueError for what is no p-value, or for a family smaller than the tests that are there.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979), 65-70.
    """
    size = len(p_values) if family is None else family
    if size < len(p_values):
        raise ValueError(f"{len(p_values)} tests are more than a family of {size}.")
    if wrong := [p for p in p_values if not 0 <= p <= 1]:
        raise ValueError(f"{wrong[0]} is no p-value.")
    corrected = [0.0] * len(p_values)
    largest = 0.0
    smallest_first = sorted(range(len(p_values)), key=p_values.__getitem__)
    for before, place in enumerate(smallest_first):
        largest = max(largest, min(1.0, (size - before) * p_values[place]))
        corrected[place] = largest
    return corrected
