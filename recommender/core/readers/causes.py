"""What ratings that were refused probably mean, and what to do; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from math import ceil, floor

from recommender.core.ratings import Scale

#: Whole numbers up to a larger one are rather counts than ratings.
LARGEST_USUAL = 100


def explain_ratings(off_scale: Counter[float], no_numbers: Counter[str], known: Scale) -> list[str]:
    """Sentences on values off the scale ``known`` and on texts, by how often each occurs."""
    found: list[str] = []
    if no_numbers:
        text, count = no_numbers.most_common(1)[0]
        if count > 1:  # once is rather a mistake
            found.append(_not_rated(count, repr(text) if text else "empty", f"--drop '{text}'"))
    others = [value for value in off_scale if value]
    low, high = min(others, default=known.minimum), max(others, default=known.maximum)
    if off_scale[0.0] and low >= 0:
        scale = f"--scale 0:{max(high, known.maximum):g}:{known.step:g}"
        remedy = f"If it is the lowest rating, give the scale, such as {scale}."
        found.append(f"{_not_rated(off_scale[0.0], '0', '--drop-zeros')} {remedy}")
    if len(others) == 1 and off_scale[low] > 1:
        found.append(_not_rated(off_scale[low], f"{low:g}", f"--drop={low:g}"))
    elif low >= 0 and high > LARGEST_USUAL and all(value.is_integer() for value in others):
        found.append(
            f"Whole numbers up to {high:,.0f} look like counts, such as plays or purchases, which "
            "are no ratings. Turn them into levels, for example from 1 to 5 by their rank among "
            "the user's own counts, and import those."
        )
    elif len(others) > 2:
        found.append(
            f"The ratings off the scale run from {low:g} to {high:g}. If all are right, give the "
            f"scale, such as --scale={_scale_around(others, known)}."
        )
    return found


def _not_rated(count: int, value: str, option: str) -> str:
    ratings = "1 rating is" if count == 1 else f"{count:,} ratings are"
    return f"{ratings} {value}. If that means not rated, leave them out: {option}."


def _scale_around(values: Collection[float], known: Scale) -> str:
    """A scale that contains ``values`` and ``known``, in steps of a power of ten."""
    low = known.minimum if min(values) >= known.minimum else floor(min(values))
    high = known.maximum if max(values) <= known.maximum else ceil(max(values))
    written = (f"{value:.6g}".partition(".")[2] for value in (*values, low))
    return f"{low:g}:{high:g}:{10 ** -max(map(len, written)):g}"
