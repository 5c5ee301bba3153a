"""Recommendations of systems trained elsewhere, read from CSV and checked line by line; pure.

Reading stops at nothing but the limits below: whoever mends a file wants to hear of every problem.
"""

from __future__ import annotations

import csv
import hashlib
from array import array
from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from survey.errors import StudyError

COLUMNS = ("profile", "system", "movie", "rank", "score")
PROBLEMS_TOLD = 20
#: These bound the memory, whatever the file: about 130 bytes a row, and one line at a time.
MOST_ROWS = 3_000_000
MOST_SYSTEMS = 100
LONGEST_LINE = 10_000
LONGEST_NAME = 60
LARGEST_RANK = 2**31 - 1
#: Of a movie or a rank that could not be read: the rest of its row is still looked at.
UNKNOWN = -1

#: Whether each (user, movie) of two equally long arrays was rated.
Rated = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class UploadedList:
    """What one system recommends: parallel arrays (n,), ordered by user, then rank.

    ``users`` are rows of the rating matrix, ``movies`` what the reader was told to call them,
    ``ranks`` count from 1, ``scores`` are NaN where there is none. ``checksum`` is the SHA-256 of
    the file.
    """

    system: str
    checksum: str
    users: NDArray[np.int64]
    movies: NDArray[np.int64]
    ranks: NDArray[np.int64]
    scores: NDArray[np.float64]

    def covered(self) -> NDArray[np.int64]:
        """The users with a first recommendation, ascending."""
        return np.unique(self.users[self.ranks == 1])


def read_uploads(
    file: BinaryIO,
    *,
    name: str,
    users: Mapping[str, int],
    movies: Mapping[str, int],
    rated: Rated,
) -> dict[str, UploadedList]:
    """Every system of a CSV file with its list. StudyError with the first problems, and how many.

    ``users`` and ``movies`` give the data set's ids their numbers. The file is UTF-8, with or
    without a byte order mark, with the columns ``COLUMNS`` in any order and no other.
    """
    report = Report(name)
    lines = _Lines(file, report)
    rows = _Rows()
    reader = csv.reader(lines, strict=True)
    places = _header(reader, report)
    if places:
        _read_rows(reader, places, rows, report, users=users, movies=movies)
    if places and not len(rows) and not report.count:
        report.add(1, "profile", "no row follows the header. Write one line a recommendation.")
    lines.finish()
    table = rows.arrays()
    if places:
        _compare(table, report, rated)
    report.refuse()
    return _lists(table, list(rows.systems), lines.checksum)


@dataclass
class Report:
    """The problems of a file: the first in its order, and how many there are in all."""

    name: str
    count: int = 0
    first: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, line: int, column: str, words: str) -> None:
        self.count += 1
        where = f"{self.name}, line {line}, {column}: {words}"
        insort(self.first, (line, self.count, where))
        del self.first[PROBLEMS_TOLD:]

    def refuse(self) -> None:
        """StudyError if there is any problem."""
        if not self.count:
            return
        told = "\n".join(f"  {words}" for _, _, words in self.first)
        more = f", the first {PROBLEMS_TOLD}" if self.count > PROBLEMS_TOLD else ""
        number = "1 problem" if self.count == 1 else f"{self.count:,} problems"
        raise StudyError(f"{self.name} has {number}{more}; nothing was stored.\n{told}")


class _Lines:
    """The lines of the file as text; what cannot be read is reported and left out."""

    def __init__(self, file: BinaryIO, report: Report) -> None:
        self.file = file
        self.report = report
        self.number = 0
        self.digest = hashlib.sha256()

    @property
    def checksum(self) -> str:
        return self.digest.hexdigest()

    def __iter__(self) -> Iterator[str]:
        while line := self.file.readline(LONGEST_LINE):
            self.number += 1
            self.digest.update(line)
            if not line.endswith(b"\n") and len(line) == LONGEST_LINE:
                self._skip_rest()
                words = f"it is longer than {LONGEST_LINE:,} bytes. One row stands in one line."
                yield self._unreadable(words)
                continue
            try:
                yield line.decode("utf-8-sig" if self.number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield self._unreadable("it is not UTF-8 text. Save the file as UTF-8.")

    def _unreadable(self, words: str) -> str:
        """An empty line instead: whoever reads these counts lines too."""
        self.report.add(self.number, "line", words)
        return "\n"

    def finish(self) -> None:
        """Read what a reader that gave up has left, for the checksum."""
        while part := self.file.read(1 << 20):
            self.digest.update(part)

    def _skip_rest(self) -> None:
        while part := self.file.readline(1 << 20):
            self.digest.update(part)
            if part.endswith(b"\n"):
                return


class _Rows:
    """What was read so far, a few bytes a row."""

    def __init__(self) -> None:
        self.columns = {name: array("q") for name in ("line", "system", "user", "movie", "rank")}
        self.scores = array("d")
        self.systems: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.scores)

    def add(self, *values: int, score: float) -> None:
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)
        self.scores.append(score)

    def arrays(self) -> dict[str, NDArray]:
        """The columns, each (n,), ordered by system, user, rank and line."""
        table: dict[str, NDArray] = {
            name: np.frombuffer(column, np.int64) if column else np.empty(0, np.int64)
            for name, column in self.columns.items()
        }
        table["score"] = np.frombuffer(self.scores) if self.scores else np.empty(0)
        keys = (table["line"], table["rank"], table["user"], table["system"])
        order = np.lexsort(keys)
        return {name: column[order] for name, column in table.items()}


def _header(reader: Iterator[list[str]], report: Report) -> dict[str, int]:
    """The place of each column; empty, with a problem reported, where the header is none."""
    try:
        names = [cell.strip().lower() for cell in next(reader, [])]
    except csv.Error as error:
        report.add(1, "header", f"it cannot be read ({error}). Write {','.join(COLUMNS)}.")
        return {}
    missing = [column for column in COLUMNS if column not in names]
    for column in missing:
        words = f"the column is missing. The first line is {','.join(COLUMNS)} in any order."
        report.add(1, column, words)
    for place, column in enumerate(names):
        if column not in COLUMNS:
            report.add(1, _shown(column), "there is no such column here. Leave it out.")
        elif column in names[:place]:
            report.add(1, column, "the column stands there twice. Keep one.")
    if missing or len(names) != len(COLUMNS):
        return {}
    return {column: names.index(column) for column in COLUMNS}


def _read_rows(
    reader: Iterator[list[str]],
    places: Mapping[str, int],
    rows: _Rows,
    report: Report,
    *,
    users: Mapping[str, int],
    movies: Mapping[str, int],
) -> None:
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            words = f"it is not CSV ({error}). Mend the quotes, or save the table as CSV again."
            report.add(reader.line_num, "line", words)  # type: ignore[attr-defined]
            continue
        if cells is None:
            return
        line: int = reader.line_num  # type: ignore[attr-defined]
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(COLUMNS):
            words = f"it has {len(cells)} cells instead of {len(COLUMNS)}. Give each column one."
            report.add(line, "line", words)
            continue
        if len(rows) == MOST_ROWS:
            words = f"there are more than {MOST_ROWS:,} rows. Keep the first ranks alone."
            report.add(line, "line", words)
            return
        row = {column: cells[place].strip() for column, place in places.items()}
        _read_row(row, line, rows, report, users=users, movies=movies)


def _read_row(
    row: Mapping[str, str],
    line: int,
    rows: _Rows,
    report: Report,
    *,
    users: Mapping[str, int],
    movies: Mapping[str, int],
) -> None:
    user = users.get(row["profile"], UNKNOWN)
    if user == UNKNOWN:
        report.add(line, "profile", f"{_shown(row['profile'])} is no user of the data set.")
    movie = movies.get(row["movie"], UNKNOWN)
    if movie == UNKNOWN:
        report.add(line, "movie", f"{_shown(row['movie'])} is no movie id of the data set.")
    rank = _rank(row["rank"])
    if rank == UNKNOWN:
        words = f"{_shown(row['rank'])} is no rank. Give 1, 2, 3 and so on; 1 is the best."
        report.add(line, "rank", words)
    score = _score(row["score"])
    if score is None:
        words = f"{_shown(row['score'])} is no number. Give one such as 4.25, or leave it empty."
        report.add(line, "score", words)
    system = _system(row["system"], line, rows, report)
    if user != UNKNOWN and system != UNKNOWN:
        rows.add(line, system, user, movie, rank, score=0.0 if score is None else score)


def _system(name: str, line: int, rows: _Rows, report: Report) -> int:
    if name in rows.systems:
        return rows.systems[name]
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        words = f"{_shown(name)} is no name. Give 1 to {LONGEST_NAME} printable characters."
        report.add(line, "system", words if name else "it is empty. Name the system.")
        return UNKNOWN
    if len(rows.systems) == MOST_SYSTEMS:
        words = f"there are more than {MOST_SYSTEMS} systems. Split the file."
        report.add(line, "system", words)
        return UNKNOWN
    return rows.systems.setdefault(name, len(rows.systems))


def _rank(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 10:
        return UNKNOWN
    return int(text) if 1 <= int(text) <= LARGEST_RANK else UNKNOWN


def _score(text: str) -> float | None:
    """NaN where the cell is empty; None where it holds no finite number."""
    if not text:
        return float("nan")
    try:
        # Python also takes 1_000 for a number; no table means that.
        number = float(text) if "_" not in text else float("inf")
    except ValueError:
        return None
    return number if isfinite(number) else None


def _compare(table: Mapping[str, NDArray], report: Report, rated: Rated) -> None:
    """What shows only where rows are seen together, or beside the profiles."""
    line, system, user, movie, rank = (
        table[name] for name in ("line", "system", "user", "movie", "rank")
    )
    if not len(line):
        return
    for place in _doubled(system, user, rank):
        words = f"rank {rank[place]} was given to this profile before. Give each rank once."
        report.add(int(line[place]), "rank", words)
    order = np.lexsort((line, movie, user, system))
    for place in order[_doubled(system[order], user[order], movie[order])]:
        words = "this system recommends the movie to the profile in an earlier row. Keep one."
        report.add(int(line[place]), "movie", words)
    known = movie != UNKNOWN
    seen = np.zeros(len(line), bool)
    seen[known] = rated(user[known], movie[known])
    for place in np.flatnonzero(seen):
        words = "the profile holds this movie already. Recommend what its owner has not rated."
        report.add(int(line[place]), "movie", words)
    begins = np.flatnonzero(np.r_[True, (np.diff(system) != 0) | (np.diff(user) != 0)])
    # A rank that could not be read comes first in its profile, and may have been meant as 1.
    for place in begins[rank[begins] > 1]:
        words = f"the profile has no rank 1 by this system; its best is {rank[place]}."
        report.add(int(line[place]), "rank", f"{words} Number its rows from 1.")


def _doubled(system: NDArray, user: NDArray, value: NDArray) -> NDArray[np.int64]:
    """The places in ordered columns where a row is as the one before it; unknown values are not."""
    same = (np.diff(system) == 0) & (np.diff(user) == 0) & (np.diff(value) == 0)
    found = np.flatnonzero(same) + 1
    return np.asarray(found[value[found] != UNKNOWN])


def _lists(
    table: Mapping[str, NDArray], systems: list[str], checksum: str
) -> dict[str, UploadedList]:
    bounds = np.searchsorted(table["system"], np.arange(len(systems) + 1))
    found = {}
    for place, name in enumerate(systems):
        here = slice(bounds[place], bounds[place + 1])
        found[name] = UploadedList(
            system=name,
            checksum=checksum,
            users=table["user"][here],
            movies=table["movie"][here],
            ranks=table["rank"][here],
            scores=table["score"][here],
        )
    return found


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else f"{text[:37]!r}…"
