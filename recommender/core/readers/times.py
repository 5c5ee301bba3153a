"""Times of a source: the unit that they are written in, and their seconds since 1970."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from math import floor

from recommender.core.readers.columns import LATEST, NUMBER, LineError

#: How many of a unit make a second.
UNITS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\Z", re.ASCII)


def find_ticks(texts: Sequence[str]) -> int:
    """How many of the units of the first times make a second; 0 for dates of ISO 8601."""
    times = [text.strip() for text in texts if text.strip()]
    if not times:
        return 1
    if NUMBER.match(times[0]) and not all(map(DAY.match, times)):
        largest = float(times[0])
        return next((ticks for ticks in UNITS if largest <= LATEST * ticks), 1)
    try:
        datetime.fromisoformat(times[0])
    except ValueError:
        return 1  # refused with its line when the file is read
    return 0


def to_seconds(text: str, ticks: int) -> int:
    """Seconds since 1970 UTC, fractions cut off; LineError if ``text`` is no such time."""
    unit = f"{UNITS[ticks]} since 1970 UTC" if ticks else "a date such as 2026-12-31"
    remedy = f"Write {unit} on every line."
    if not text:
        raise LineError("is empty", remedy)
    try:
        value = _whole_part(text) // ticks if ticks else _iso_seconds(text)
    except ValueError:
        known = {0: "a date of ISO 8601", 1: "a time in seconds or a date of ISO 8601"}
        problem = f"{text[:40]!r} is not {known.get(ticks) or f'a time in {UNITS[ticks]}'}"
        raise LineError(problem, remedy) from None
    if not 0 <= value <= LATEST:
        raise LineError(f"{text[:40]} is before 1970 or after the year 9999", remedy)
    return value


def _whole_part(text: str) -> int:
    """A whole number, or the whole part of one with decimals; ValueError for anything else."""
    if not NUMBER.match(text):
        raise ValueError(text)
    return int(text) if text.isdecimal() and len(text) < 30 else floor(min(float(text), 1e30))


def _iso_seconds(text: str) -> int:
    """A date and time of ISO 8601, in UTC if it has no zone; ValueError for anything else."""
    time = datetime.fromisoformat(text)
    return floor((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
