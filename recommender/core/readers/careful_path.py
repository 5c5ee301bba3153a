"""The careful path: reads line by line, and names the line, field and remedy of each problem."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np

from recommender.core.errors import SourceError
from recommender.core.readers.archive import DOWNLOAD_AGAIN, SourceFile, numbered_lines
from recommender.core.readers.columns import (
    CONTROL,
    LARGEST_ID,
    LATEST,
    LONGEST_ID,
    NUMBER,
    WHOLE,
    Columns,
    Scales,
    TableFormat,
    TextIds,
    is_id,
)

#: Reading stops after this many problems.
MOST_PROBLEMS = 20


class CarefulReader:
    """Reads blocks of one table; ``problems`` collects the first problem of each faulty line.

    Ids stay text. The columns numbered in ``text`` may contain any id; an id there that is not a
    whole number raises TextIds for other columns if the format allows text ids.
    """

    def __init__(
        self, file: SourceFile, form: TableFormat, scales: Scales, text: frozenset[int]
    ) -> None:
        self.problems: list[SourceError] = []
        self._file, self._form, self._scales, self._text = file, form, scales, text
        self._accepted: set[float] = set()

    def read(self, block: bytes, first_line: int) -> Columns:
        """The ratings of the sound lines of ``block``."""
        form, rows, lines = self._form, [], []
        for line, raw in numbered_lines(block, first_line):
            try:
                rows.append(self._row(line, raw))
                lines.append(line)
            except SourceError as problem:
                self.problems.append(problem)
                if len(self.problems) == MOST_PROBLEMS:
                    break
        columns = list(zip(*rows, strict=True)) or [()] * len(form.names)
        return Columns(
            list(columns[form.user]),
            list(columns[form.item]),
            np.array(columns[form.rating], np.float64),
            None if form.timestamp is None else np.array(columns[form.timestamp], np.int64),
            lines,
        )

    def _row(self, line: int, raw: bytes) -> list[Any]:
        form = self._form
        try:
            text = raw.decode("utf-8")
            if odd := CONTROL.search(text.replace("\t", " ")):
                raise self._problem(line, None, f"the control character {odd[0]!r}", DOWNLOAD_AGAIN)
            fields = form.split(text)
        except UnicodeDecodeError as error:
            problem = f"byte {error.start + 1} is not UTF-8"
            raise self._problem(line, None, problem, "Save it as UTF-8.") from error
        except csv.Error as error:
            problem = f"a quote is not closed on its line ({error})"
            raise self._problem(line, None, problem, "Write each rating on one line.") from error
        if len(fields) != len(form.names):
            problem = f"{len(fields)} fields instead of {len(form.names)}"
            expected = form.separator.join(form.names)
            raise self._problem(line, None, problem, f"Write {expected!r} on each line.")
        return [self._value(line, column, text.strip()) for column, text in enumerate(fields)]

    def _value(self, line: int, column: int, text: str) -> str | float | int:
        if column == self._form.rating:
            return self._rating(line, column, text)
        if column == self._form.timestamp:
            return self._seconds(line, column, text)
        if column in self._text:
            if not is_id(text):
                problem = f"{text[:40]!r} is not an id of 1 to {LONGEST_ID} printable characters"
                raise self._problem(line, column, problem, "Write an id.")
        elif not (WHOLE.match(text) and len(text) < 30 and 0 <= int(text) <= LARGEST_ID):
            if self._form.text_ids:
                raise TextIds(column)
            problem = f"{text[:40]!r} is not a whole number"
            raise self._problem(line, column, problem, "Write the id in digits.")
        return text

    def _rating(self, line: int, column: int, text: str) -> float:
        if not NUMBER.match(text):
            problem = f"{text[:40]!r} is not a number" if text else "is empty"
            remedy = f"Write a number on the scale {self._scales.scale}."
            raise self._problem(line, column, problem, remedy)
        value = float(text)
        if value not in self._accepted:
            if not self._scales.accept(np.array([value])):
                known = " or ".join(map(str, self._scales.left))
                problem = f"{text[:40]} is not on the scale {known}"
                remedy = "Correct the rating, or give the scale: --scale MIN:MAX:STEP."
                raise self._problem(line, column, problem, remedy)
            self._accepted.add(value)
        return value

    def _seconds(self, line: int, column: int, text: str) -> int:
        remedy = "Write whole seconds since 1970-01-01 UTC."
        if not WHOLE.match(text):
            problem = f"{text[:40]!r} is not a whole number" if text else "is empty"
            raise self._problem(line, column, problem, remedy)
        value = int(text) if len(text) < 30 else LATEST + 1
        if not 0 <= value <= LATEST:
            problem = f"{text[:40]} is before 1970 or after the year 9999"
            raise self._problem(line, column, problem, remedy)
        return value

    def _problem(self, line: int, column: int | None, problem: str, remedy: str) -> SourceError:
        name = None if column is None else self._form.names[column]
        return SourceError(problem, file=self._file.label, line=line, field=name, remedy=remedy)
