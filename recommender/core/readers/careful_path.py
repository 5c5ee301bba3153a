"""The careful path: reads line by line, and names the line, field and remedy of each problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers.archive import DOWNLOAD_AGAIN, SourceFile, numbered_lines
from recommender.core.readers.columns import (
    CONTROL,
    LATEST,
    LONGEST_ID,
    NUMBER,
    Columns,
    LineError,
    Scales,
    TableFormat,
    TextIds,
    is_canonical,
    is_id,
)
from recommender.core.readers.problems import Problems

UNITS = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
#: Whole numbers up to a larger one are rather counts than ratings.
LARGEST_USUAL = 100


class CarefulReader:
    """Reads blocks of one table; ``problems`` collects the first problem of each faulty line.

    Ids stay text. The columns numbered in ``text`` may contain any id; an id there that is not a
    whole number raises TextIds for other columns if the format allows text ids. Ratings of 0 are
    left out and counted if ``drop_zeros`` is set.
    """

    def __init__(
        self,
        file: SourceFile,
        form: TableFormat,
        scales: Scales,
        text: frozenset[int],
        *,
        drop_zeros: bool = False,
    ) -> None:
        self.file, self.form, self.scales, self.text = file, form, scales, text
        self.problems = Problems(file.label)
        self._drop_zeros, self._is_exact = drop_zeros, len(form.used) == len(form.names)
        self._dropped, self._has_commas = 0, False
        self._accepted: set[float] = set()
        self._refused: Counter[float] = Counter()  #: ratings off the scale

    def accepts(self, ratings: NDArray[np.floating]) -> bool:
        """Whether ratings of the fast path fit, and none of them has to be left out."""
        return self.scales.accept(ratings) and not (self._drop_zeros and (ratings == 0).any())

    def read(self, block: bytes, first_line: int) -> Columns:
        """The ratings of the sound lines of ``block``."""
        rows: list[tuple[str, str, float, int]] = []
        lines = []
        for line, raw in numbered_lines(block, first_line):
            try:
                row = self._row(line, raw)
            except SourceError as problem:
                self.problems.add(problem)
                continue
            if self._drop_zeros and not row[2]:
                self._dropped += 1
                continue
            rows.append(row)
            lines.append(line)
        users, items, ratings, times = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Columns(
            list(users),
            list(items),
            np.array(ratings, np.float64),
            None if self.form.timestamp is None else np.array(times, np.int64),
            lines,
        )

    def raise_problems(self) -> None:
        """SourceError with all problems so far, if there are any."""
        self.problems.causes = self._causes()
        self.problems.raise_any()

    def notes(self) -> dict[str, str]:
        """What was found and left out on the way, by the name of a line in the report."""
        found = {}
        if self._has_commas:
            found["decimals"] = "ratings are written with a decimal comma"
        if self._dropped:
            found["zeros"] = f"{self._dropped:,} ratings of 0 were left out"
        return found

    def _causes(self) -> list[str]:
        """Sentences on what ratings off the scale probably mean, and what to do."""
        if not self._refused:
            return []
        known, zeros = self.scales.scale, self._refused.pop(0.0, 0)
        low = min(self._refused, default=known.minimum)
        high = max(self._refused, default=known.maximum)
        found = []
        if zeros and low >= 0:
            scale = f"--scale 0:{max(high, known.maximum):g}:{known.step:g}"
            found.append(
                f"{zeros:,} ratings are 0. If 0 means not rated, leave them out: --drop-zeros. If "
                f"it is the lowest rating, give the scale, such as {scale}."
            )
        if low >= 0 and high > LARGEST_USUAL and all(value.is_integer() for value in self._refused):
            found.append(
                f"Whole numbers up to {high:,.0f} look like counts, such as plays or purchases, "
                "which are no ratings. Turn them into levels, for example from 1 to 5 by their "
                "rank among the user's own counts, and import those."
            )
        elif len(self._refused) > 2:
            found.append(
                f"The ratings off the scale run from {min(self._refused):g} to "
                f"{max(self._refused):g}. If all are right, give the scale, such as "
                f"--scale={_scale_around(self._refused, known)}."
            )
        return found

    def _row(self, line: int, raw: bytes) -> tuple[str, str, float, int]:
        form = self.form
        try:
            text = raw.decode("utf-8")
            odd = CONTROL.search(text.replace("\t", " ")) if self._is_exact else None
            if odd:
                raise self._problem(line, None, f"the control character {odd[0]!r}", DOWNLOAD_AGAIN)
            fields = form.split(text)
        except UnicodeDecodeError as error:
            problem = f"byte {error.start + 1} is not UTF-8"
            raise self._problem(line, None, problem, "Save it as UTF-8.") from error
        except LineError as error:
            raise self._problem(line, None, *error.args) from error
        if len(fields) != len(form.names):
            problem = f"{len(fields)} fields instead of {len(form.names)}"
            expected = form.separator.join(form.names)
            raise self._problem(line, None, problem, f"Write {expected!r} on each line.")
        return (
            self._id(line, form.user, fields[form.user].strip()),
            self._id(line, form.item, fields[form.item].strip()),
            self._rating(line, form.rating, fields[form.rating].strip()),
            0
            if form.timestamp is None
            else self._seconds(line, form.timestamp, fields[form.timestamp].strip()),
        )

    def _id(self, line: int, column: int, text: str) -> str:
        if column in self.text:
            if not is_id(text):
                problem = f"{text[:40]!r} is not an id of 1 to {LONGEST_ID} printable characters"
                raise self._problem(line, column, problem, "Write an id.")
        elif not is_canonical(text):
            if self.form.text_ids:
                raise TextIds(column)
            problem = f"{text[:40]!r} is not a whole number without sign or leading zeros"
            raise self._problem(line, column, problem, "Write the id in digits.")
        return text

    def _rating(self, line: int, column: int, text: str) -> float:
        number = text
        if "," in text:
            number, self._has_commas = text.replace(",", "."), True
        if not NUMBER.match(number):
            problem = f"{text[:40]!r} is not a number" if text else "is empty"
            remedy = f"Write a number on the scale {self.scales.scale}."
            raise self._problem(line, column, problem, remedy)
        value = float(number)
        if value in self._accepted or (self._drop_zeros and not value):
            return value
        if not self.scales.accept(np.array([value])):
            self._refused[value] += 1
            known = " or ".join(map(str, self.scales.left))
            problem = f"{text[:40]} is not on the scale {known}"
            remedy = "Correct the rating, or give the scale: --scale MIN:MAX:STEP."
            raise self._problem(line, column, problem, remedy)
        self._accepted.add(value)
        return value

    def _seconds(self, line: int, column: int, text: str) -> int:
        ticks = self.form.ticks
        unit = f"{UNITS[ticks]} since 1970-01-01 UTC" if ticks else "a date such as 2026-12-31"
        if not text:
            raise self._problem(line, column, "is empty", f"Write {unit}.")
        try:
            value = _ticks(text) // ticks if ticks else _iso_seconds(text)
        except ValueError:
            problem = f"{text[:40]!r} is not a time like those before"
            raise self._problem(line, column, problem, f"Write {unit}.") from None
        if not 0 <= value <= LATEST:
            problem = f"{text[:40]} is before 1970 or after the year 9999"
            raise self._problem(line, column, problem, f"Write {unit}.")
        return value

    def _problem(self, line: int, column: int | None, problem: str, remedy: str) -> SourceError:
        name = None if column is None else self.form.names[column]
        return SourceError(problem, file=self.file.label, line=line, field=name, remedy=remedy)


def _scale_around(values: Collection[float], known: Scale) -> str:
    """A scale that contains ``values`` and ``known``, in steps of a power of ten."""
    low = known.minimum if min(values) >= known.minimum else floor(min(values))
    high = known.maximum if max(values) <= known.maximum else ceil(max(values))
    written = (f"{value:.6g}".partition(".")[2] for value in (*values, low))
    return f"{low:g}:{high:g}:{10 ** -max(map(len, written)):g}"


def _ticks(text: str) -> int:
    """A whole number, or the whole part of one with decimals; ValueError for anything else."""
    if not NUMBER.match(text):
        raise ValueError(text)
    return int(text) if text.isdecimal() and len(text) < 30 else floor(min(float(text), 1e30))


def _iso_seconds(text: str) -> int:
    """A date and time of ISO 8601, in UTC if it has no zone; ValueError for anything else."""
    time = datetime.fromisoformat(text)
    return floor((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp())
