"""The careful path: reads line by line, and names the line, field and remedy of each problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import starmap

import numpy as np

from recommender.core.errors import SourceError
from recommender.core.readers.archive import DOWNLOAD_AGAIN, SourceFile, numbered_lines
from recommender.core.readers.causes import explain_ratings
from recommender.core.readers.columns import (
    CONTROL,
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
from recommender.core.readers.quotes import LineJoiner
from recommender.core.readers.times import to_seconds


class CarefulReader:
    """Reads blocks of one table; ``problems`` collects the first problem of each faulty line.

    Ids stay text. The columns numbered in ``text`` may contain any id; an id there that is not a
    whole number raises TextIds for other columns if the format allows text ids. Ratings that are
    one of ``drop``, as text or as a number, are left out and counted.
    """

    def __init__(
        self,
        file: SourceFile,
        form: TableFormat,
        scales: Scales,
        text: frozenset[int],
        *,
        drop: Collection[str] = (),
    ) -> None:
        self.file, self.form, self.scales, self.text = file, form, scales, text
        self.problems = Problems(file.label)
        self._is_exact = len(form.used) == len(form.names)
        self._joiner = None if self._is_exact else LineJoiner(form.separator)
        self._drop_texts = set(drop)
        self._drop_numbers = [float(text) for text in drop if NUMBER.match(text)]
        self._dropped: Counter[str] = Counter()
        self._accepted: set[float] = set()
        self._off_scale: Counter[float] = Counter()
        self._no_numbers: Counter[str] = Counter()
        self._has_commas = False

    def accepts(self, columns: Sequence[Columns]) -> bool:
        """Whether a block of the fast path fits, and no rating in it has to be left out."""
        return bool(
            columns
            and not (self._joiner and self._joiner.parts)
            and all(self.scales.accept(each.ratings) for each in columns)
            and not any(np.isin(each.ratings, self._drop_numbers).any() for each in columns)
        )

    def read(self, block: bytes, first_line: int) -> Columns:
        """The ratings of the sound lines of ``block``."""
        rows: list[tuple[str, str, float, int]] = []
        lines = []
        for record in self._records(block, first_line):
            try:
                row = self._row(*record)
            except SourceError as problem:
                self.problems.add(problem)
                continue
            if row is not None:
                rows.append(row)
                lines.append(record[0])
        users, items, ratings, times = zip(*rows, strict=True) if rows else ((), (), (), ())
        return Columns(
            list(users),
            list(items),
            np.array(ratings, np.float64),
            None if self.form.timestamp is None else np.array(times, np.int64),
            lines,
        )

    def _records(self, block: bytes, first_line: int) -> Iterator[tuple[int, bytes]]:
        """Lines, or several lines together if a column that is left out holds line ends."""
        lines = numbered_lines(block, first_line)
        if self._joiner is None:
            return lines
        return filter(None, starmap(self._joiner.feed, lines))

    def raise_problems(self) -> None:
        """SourceError with all problems so far, if there are any."""
        if self._joiner and (rest := self._joiner.rest()):
            problem = "a quote is not closed up to the end of the file"
            self.problems.add(self._problem(rest[0], None, problem, "Close it, or remove it."))
        known = self.scales.scale
        self.problems.causes = explain_ratings(self._off_scale, self._no_numbers, known)
        self.problems.raise_any()

    def notes(self) -> dict[str, str]:
        """What was found and left out on the way, by the name of a line in the report."""
        found = {}
        if self._has_commas:
            found["decimals"] = "ratings are written with a decimal comma"
        if self._dropped:
            counts = (
                f"ratings of {value or '(empty)'}: {n:,}" for value, n in self._dropped.items()
            )
            found["dropped"] = ", ".join(counts)
        return found

    def _row(self, line: int, raw: bytes) -> tuple[str, str, float, int] | None:
        """The record, or None if its rating has to be left out."""
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
        rating = self._rating(line, form.rating, fields[form.rating].strip())
        if rating is None:
            return None
        return (
            self._id(line, form.user, fields[form.user].strip()),
            self._id(line, form.item, fields[form.item].strip()),
            rating,
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

    def _rating(self, line: int, column: int, text: str) -> float | None:
        number = text
        if "," in text:
            number, self._has_commas = text.replace(",", "."), True
        value = float(number) if NUMBER.match(number) else None
        if value is not None and value in self._accepted:
            return value
        if text in self._drop_texts or value in self._drop_numbers:
            self._dropped[text] += 1
            return None
        if value is None:
            self._no_numbers[text[:40]] += 1
            problem = f"{text[:40]!r} is not a number" if text else "is empty"
            remedy = f"Write a number on the scale {self.scales.scale}."
            raise self._problem(line, column, problem, remedy)
        if not self.scales.accept(np.array([value])):
            self._off_scale[value] += 1
            known = " or ".join(map(str, self.scales.left))
            problem = f"{text[:40]} is not on the scale {known}"
            remedy = "Correct the rating, or give the scale: --scale MIN:MAX:STEP."
            raise self._problem(line, column, problem, remedy)
        self._accepted.add(value)
        return value

    def _seconds(self, line: int, column: int, text: str) -> int:
        try:
            return to_seconds(text, self.form.ticks)
        except LineError as error:
            problem, remedy = error.args
            if self.form.may_lack_times:
                remedy = f"{remedy[:-1]}, or read no times at all: --columns timestamp=."
            raise self._problem(line, column, problem, remedy) from None

    def _problem(self, line: int, column: int | None, problem: str, remedy: str) -> SourceError:
        name = None if column is None else self.form.names[column]
        return SourceError(problem, file=self.file.label, line=line, field=name, remedy=remedy)
