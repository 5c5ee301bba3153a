"""Reads recommendations of other systems from CSV and checks every line; pure.

Reading goes on after a problem, so that one report names everything that has to be fixed.
"""

from __future__ import annotations

import csv
import hashlib
from array import array
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from math import isfinite, nan

import numpy as np
from numpy.typing import NDArray

from survey.errors import StudyError

COLUMNS = ("profile", "system", "movie", "rank", "score")
PROBLEMS_SHOWN = 20
#: These limits bound the memory for any file: about 130 bytes a row, and one line at a time.
MOST_ROWS = 3_000_000
MOST_SYSTEMS = 100
LONGEST_LINE = 10_000
LONGEST_NAME = 60
LARGEST_RANK = 2**31 - 1
#: Stands for a value that could not be read, so that the rest of its row is still checked.
UNKNOWN = -1

#: Whether each (user, item) of two arrays of equal length was rated.
Rated = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class UploadedList:
    """What one system recommends: parallel arrays of shape (n,), ordered by user, then rank.

    ``users`` are rows of the rating matrix, ``items`` the numbers given to the reader, ``ranks``
    count from 1, ``scores`` are NaN where missing. ``checksum`` is the SHA-256 of the file.
    """

    system: str
    checksum: str
    users: NDArray[np.int64]
    items: NDArray[np.int64]
    ranks: NDArray[np.int64]
    scores: NDArray[np.float64]

    def covered(self) -> NDArray[np.int64]:
        """The users with a first recommendation, ascending."""
        return np.unique(self.users[self.ranks == 1])


def read_uploads(
    file: BufferedIOBase,
    *,
    name: str,
    users: Mapping[str, int],
    items: Mapping[str, int],
    rated: Rated,
) -> dict[str, UploadedList]:
    """Every system of a CSV file with its list. Raises StudyError with the first problems.

    ``users`` and ``items`` map the data set's ids to numbers. The file is UTF-8, with or without
    a byte order mark, and has exactly the columns ``COLUMNS``, in any order.
    """
    checksum = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    reader = _Reader(file, name, users, items)
    reader.read()
    table = reader.sorted_table()
    _check_table(table, reader.report, rated)
    reader.report.raise_problems()
    bounds = np.searchsorted(table["system"], np.arange(len(reader.systems) + 1))
    found = {}
    for place, system in enumerate(reader.systems):
        rows = slice(bounds[place], bounds[place + 1])
        columns = (table[name][rows] for name in ("user", "item", "rank", "score"))
        found[system] = UploadedList(system, checksum, *columns)
    return found


@dataclass
class Report:
    """The problems of a file: the first ones in file order, and their number."""

    name: str
    count: int = 0
    first: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, line: int, column: str, problem: str) -> None:
        self.count += 1
        insort(self.first, (line, self.count, f"{self.name}, line {line}, {column}: {problem}"))
        del self.first[PROBLEMS_SHOWN:]

    def raise_problems(self) -> None:
        if not self.count:
            return
        shown = "\n".join(f"  {problem}" for _, _, problem in self.first)
        more = f", the first {PROBLEMS_SHOWN}" if self.count > PROBLEMS_SHOWN else ""
        number = "1 problem" if self.count == 1 else f"{self.count:,} problems"
        raise StudyError(f"{self.name} has {number}{more}; nothing was stored.\n{shown}")


class _Reader:
    """Collects the rows of one file, a few bytes each, and reports what cannot be read."""

    def __init__(
        self, file: BufferedIOBase, name: str, users: Mapping[str, int], items: Mapping[str, int]
    ) -> None:
        self.file, self.users, self.items = file, users, items
        self.report = Report(name)
        self.columns = {name: array("q") for name in ("line", "system", "user", "item", "rank")}
        self.scores = array("d")
        self.systems: dict[str, int] = {}

    def read(self) -> None:
        rows = csv.reader(self._lines(), strict=True)
        places = self._read_header(rows)
        if places:
            self._read_rows(rows, places)
            if not self.scores and not self.report.count:
                self.report.add(1, "profile", "the file has no row. Write one per recommendation.")

    def sorted_table(self) -> dict[str, NDArray]:
        """The columns, each (n,), ordered by system, user, rank and line."""
        table: dict[str, NDArray] = {
            name: np.asarray(column, np.int64) for name, column in self.columns.items()
        }
        order = np.lexsort([table[name] for name in ("line", "rank", "user", "system")])
        table["score"] = np.asarray(self.scores, np.float64)
        return {name: column[order] for name, column in table.items()}

    def _lines(self) -> Iterator[str]:
        """The lines as text. An unreadable line becomes an empty one, to keep csv's line count."""
        number = 0
        while line := self.file.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
                while (rest := self.file.readline(1 << 20)) and not rest.endswith(b"\n"):
                    pass
                problem = f"it is longer than {LONGEST_LINE:,} bytes. Write one row per line."
            else:
                try:
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
                    continue
                except UnicodeDecodeError:
                    problem = "it is not UTF-8 text. Save the file as UTF-8."
            self.report.add(number, "line", problem)
            yield "\n"

    def _read_header(self, rows: Iterator[list[str]]) -> dict[str, int]:
        """The place of each column; empty, with a problem reported, if the header is wrong."""
        expected = ",".join(COLUMNS)
        try:
            names = [cell.strip().lower() for cell in next(rows, [])]
        except csv.Error as error:
            self.report.add(1, "header", f"it cannot be read ({error}). Write {expected}.")
            return {}
        missing = [column for column in COLUMNS if column not in names]
        for column in missing:
            problem = f"the column is missing. The first line is {expected} in any order."
            self.report.add(1, column, problem)
        for place, column in enumerate(names):
            if column not in COLUMNS:
                self.report.add(1, _shown(column), "this is not a known column. Remove it.")
            elif column in names[:place]:
                self.report.add(1, column, "the column occurs twice. Keep one.")
        if missing or len(names) != len(COLUMNS):
            return {}
        return {column: names.index(column) for column in COLUMNS}

    def _read_rows(self, rows: Iterator[list[str]], places: Mapping[str, int]) -> None:
        while True:
            try:
                cells = next(rows, None)
            except csv.Error as error:
                problem = f"it is not CSV ({error}). Fix the quotes, or save the table again."
                self.report.add(rows.line_num, "line", problem)  # type: ignore[attr-defined]
                continue
            if cells is None:
                return
            line: int = rows.line_num  # type: ignore[attr-defined]
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(COLUMNS):
                problem = f"it has {len(cells)} cells instead of {len(COLUMNS)}. Fill each column."
                self.report.add(line, "line", problem)
                continue
            if len(self.scores) == MOST_ROWS:
                problem = f"there are more than {MOST_ROWS:,} rows. Keep only the first ranks."
                self.report.add(line, "line", problem)
                return
            self._read_row(line, {name: cells[place].strip() for name, place in places.items()})

    def _read_row(self, line: int, row: Mapping[str, str]) -> None:
        def known(column: str, value: int, problem: str) -> int:
            if value == UNKNOWN:
                self.report.add(line, column, f"{_shown(row[column])} is not {problem}")
            return value

        user = known("profile", self.users.get(row["profile"], UNKNOWN), "a user of the data set.")
        item = known("movie", self.items.get(row["movie"], UNKNOWN), "a movie id of the data set.")
        rank = known("rank", _rank(row["rank"]), "a rank. Give 1, 2, 3 and so on; 1 is the best.")
        score = _score(row["score"])
        if score is None:
            known("score", UNKNOWN, "a number. Give one such as 4.25, or leave it empty.")
        system = self._system(line, row["system"])
        if user != UNKNOWN and system != UNKNOWN:
            values = (line, system, user, item, rank)
            for column, value in zip(self.columns.values(), values, strict=True):
                column.append(value)
            self.scores.append(nan if score is None else score)

    def _system(self, line: int, name: str) -> int:
        if name in self.systems:
            return self.systems[name]
        if not name:
            problem = "it is empty. Name the system."
        elif len(name) > LONGEST_NAME or not name.isprintable():
            problem = f"{_shown(name)} is not a name of 1 to {LONGEST_NAME} printable characters."
        elif len(self.systems) == MOST_SYSTEMS:
            problem = f"there are more than {MOST_SYSTEMS} systems. Split the file."
        else:
            return self.systems.setdefault(name, len(self.systems))
        self.report.add(line, "system", problem)
        return UNKNOWN


def _rank(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10:
        return UNKNOWN
    return int(text) if 1 <= int(text) <= LARGEST_RANK else UNKNOWN


def _score(text: str) -> float | None:
    """NaN for an empty cell; None for anything but a finite number."""
    if not text:
        return nan
    try:
        # float() also accepts 1_000, which no table means as a number.
        number = float(text) if "_" not in text else nan
    except ValueError:
        return None
    return number if isfinite(number) else None


def _check_table(table: Mapping[str, NDArray], report: Report, rated: Rated) -> None:
    """Report what only shows when rows are compared with each other and with the profiles."""
    line, system, user, item, rank = (
        table[name] for name in ("line", "system", "user", "item", "rank")
    )
    if not len(line):
        return
    for place in _repeated(system, user, rank):
        problem = f"rank {rank[place]} was given to this profile before. Give each rank once."
        report.add(int(line[place]), "rank", problem)
    order = np.lexsort((line, item, user, system))
    for place in order[_repeated(system[order], user[order], item[order])]:
        problem = "an earlier row recommends this movie to the profile by this system. Keep one."
        report.add(int(line[place]), "movie", problem)
    known = np.flatnonzero(item != UNKNOWN)
    for place in known[rated(user[known], item[known])]:
        problem = (
            "the profile contains this movie already, or one of the same title and year. Recommend "
            "an unrated movie."
        )
        report.add(int(line[place]), "movie", problem)
    begins = np.flatnonzero(np.r_[True, (np.diff(system) != 0) | (np.diff(user) != 0)])
    # An unreadable rank sorts first in its profile, and may have been meant as 1.
    for place in begins[rank[begins] > 1]:
        problem = f"the profile has no rank 1 by this system; its best is {rank[place]}."
        report.add(int(line[place]), "rank", f"{problem} Number its rows from 1.")


def _repeated(system: NDArray, user: NDArray, value: NDArray) -> NDArray[np.int64]:
    """The places where a row equals the one before it; unknown values never do."""
    same = (np.diff(system) == 0) & (np.diff(user) == 0) & (np.diff(value) == 0)
    found = np.flatnonzero(same) + 1
    return np.asarray(found[value[found] != UNKNOWN])


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:37]!r}…"
