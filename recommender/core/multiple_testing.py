"""P-values that are valid for several tests together."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float], *, family: int | None = None) -> list[float]:
    """Holm's corrected p-values, each from 0 to 1, in the order of ``p_values``.

    Calling every test with a corrected value of at most alpha significant makes even one false
    claim with a probability of at most alpha, however the tests depend on each other. The k-th
    smallest of m p-values is multiplied by m - k + 1; the corrected values keep the order of the
    p-values and are at most 1. ``family`` is m if more tests were planned than have a p-value; by
    default m is the number of p-values.

    Raises ValueError for a p-value outside 0 to 1, or a family smaller than the number of tests.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6 (1979), 65-70.
    """
    size = len(p_values) if family is None else family
    if size < len(p_values):
        raise ValueError(f"{len(p_values)} tests are more than a family of {size}.")
    if wrong := [p for p in p_values if not 0 <= p <= 1]:
        raise ValueError(f"{wrong[0]} is not a p-value from 0 to 1.")
    corrected = [0.0] * len(p_values)
    largest = 0.0
    smallest_first = sorted(range(len(p_values)), key=p_values.__getitem__)
    for before, place in enumerate(smallest_first):
        largest = max(largest, min(1.0, (size - before) * p_values[place]))
        corrected[place] = largest
    return corrected
