"""Reads the ratings of the Netflix Prize: a line ``movie:``, then lines ``user,stars,date``."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers import archive
from recommender.core.readers.archive import OnRead, SourceFile, read_ahead
from recommender.core.readers.careful_path import CarefulReader
from recommender.core.readers.columns import Columns, LineError, Scales, TableFormat
from recommender.core.readers.fast_path import read_fast
from recommender.core.readers.movielens import WHOLE_STARS
from recommender.core.readers.problems import Problems
from recommender.core.readers.tables import CollectedColumns, RatingsTable

MOVIE = re.compile(rb"\s*(0|[1-9][0-9]{0,17}):\s*\Z")
FIELDS = ("userId", "rating", "date")
#: Bytes of the shortest line, as in 1,3,2005-09-06.
SHORTEST = 14
NEWLINE, COLON, DASH, COMMA = b"\n:-,"


@dataclass(frozen=True)
class NetflixLines(TableFormat):
    """The lines of one movie."""

    movie: str = ""

    def split(self, text: str) -> list[str]:
        """The fields of a rating, and the movie; LineError if there are not three fields."""
        fields = text.split(",")
        if len(fields) != len(FIELDS):
            problem = f"{len(fields)} fields instead of {len(FIELDS)}"
            raise LineError(problem, "Write 'user,stars,date', or a movie such as '123:'.")
        return [*fields, self.movie]


FORM = NetflixLines(
    *("netflix", ",", (*FIELDS, "movieId"), 0, 3, 1, 2, (WHOLE_STARS,)),
    text_ids=False,
    ticks=0,
    may_lack_times=False,
)
#: The lines without their movie and with dates as whole numbers, such as 20050906. No column holds
#: the movie, so that of the users stands in for it.
PLAIN = TableFormat("netflix", ",", FIELDS, 0, 0, 1, 2, (WHOLE_STARS,))


@dataclass(frozen=True)
class FileBlock:
    """Whole lines of one of the files, from ``line`` on; it ends with a line end."""

    file: int
    line: int
    content: bytes


#: Ratings on successive lines of one file: the first rating, the file and its line.
Run = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class NetflixTable(RatingsTable):
    """The ratings of several files, in the order of their lines."""

    files: Sequence[SourceFile]
    runs: Sequence[Run]

    def line_of(self, row: int) -> int:
        first_row, _, line = self._run(row)
        return line + row - first_row

    def place_of(self, row: int) -> str:
        return f"line {self.line_of(row)} of {self.files[self._run(row)[1]].label}"

    def item_error(self, row: int, problem: str, remedy: str) -> SourceError:
        label = self.files[self._run(row)[1]].label
        return SourceError(
            problem, file=label, line=self.line_of(row), field="movieId", remedy=remedy
        )

    def _run(self, row: int) -> Run:
        return self.runs[bisect_right(self.runs, row, key=lambda run: run[0]) - 1]


def read_netflix_table(
    files: Sequence[SourceFile],
    source: Path,
    scale: Scale | None = None,
    progress: OnRead = archive.ignore_bytes_read,
    *,
    drop: Collection[str] = (),
) -> NetflixTable:
    """Read every rating of ``files``; SourceError with the first problems of their lines.

    Lines of plain numbers are read by polars, in blocks that may span several movies and small
    files. ``drop`` are ratings that are left out.
    """
    scales = Scales([scale] if scale else FORM.scales)
    careful = CarefulReader(files[0], FORM, scales, frozenset(), drop=drop)
    careful.problems = Problems(source)
    reader = _Reader(files, careful)
    size = sum(file.size for file in files)
    collected, runs = CollectedColumns(size // SHORTEST + 1, FORM, ()), list[Run]()
    with (
        closing(read_ahead(_groups(files))) as groups,
        closing(read_ahead(map(reader.read, groups))) as parsed,
    ):
        for parts in parsed:
            for columns, found in parts:
                runs += [(len(collected) + row, file, line) for row, file, line in found]
                collected.add(columns)
            progress(min(sum(file.done for file in files), size - 1), size)
    progress(size, size)
    careful.raise_problems()
    if not len(collected):
        raise SourceError("contains no ratings", file=source, remedy="Download the data again.")
    return NetflixTable(
        file=files[0],
        form=FORM,
        scale=scales.scale,
        parts=[],
        notes=careful.notes(),
        files=files,
        runs=runs,
        **collected.arrays(scales.scale),
    )


def _groups(files: Sequence[SourceFile]) -> Iterator[list[FileBlock]]:
    """The blocks of all files in groups of about one block's size, so that small files go fast."""
    group: list[FileBlock] = []
    size = 0
    for number, file in enumerate(files):
        for line, content in file.blocks(archive.BLOCK):
            content = content.replace(b"\r\n", b"\n")
            group.append(FileBlock(number, line, content.removesuffix(b"\n") + b"\n"))
            size += len(content)
            if size >= archive.BLOCK:
                yield group
                group, size = [], 0
    if group:
        yield group


class _Reader:
    """Reads groups of blocks in turn, and knows the movie that a block begins with."""

    def __init__(self, files: Sequence[SourceFile], careful: CarefulReader) -> None:
        self._files, self._careful = files, careful
        self._movie: int | None = None

    def read(self, group: list[FileBlock]) -> list[tuple[Columns, list[Run]]]:
        """The ratings of a group in parts, with the places of their runs of lines."""
        fast = self._read_fast(group)
        if fast and self._careful.accepts([fast[0]]):
            columns, runs, self._movie = fast
            return [(columns, runs)]
        return [part for block in group for part in self._read_carefully(block)]

    def _read_fast(self, group: list[FileBlock]) -> tuple[Columns, list[Run], int] | None:
        """The ratings, their runs and the last movie; None if a line is not perfectly plain."""
        content = b"".join(block.content for block in group)
        letters = np.frombuffer(content, np.uint8)
        ends = np.flatnonzero(letters == NEWLINE)
        starts = np.concatenate(([0], ends[:-1] + 1))
        is_movie = (letters[ends - 1] == COLON) & (ends > starts)
        rated = np.flatnonzero(~is_movie)
        movies = np.flatnonzero(is_movie)
        if not len(rated) or not _are_plain(letters, starts[rated], ends[rated]):
            return None
        ids = [MOVIE.match(content[starts[place] : ends[place]]) for place in movies.tolist()]
        numbers = [int(found[1]) for found in ids if found]
        # The first line of each block, in lines of the group; a file begins with a movie.
        counts = [block.content.count(b"\n") for block in group]
        firsts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        begins = [block.line == 1 for block in group]
        if (
            len(numbers) != len(ids)
            or not is_movie[firsts[begins]].all()
            or (self._movie is None and not is_movie[0])
        ):
            return None
        columns = _read_plain(_without(content, starts[movies], ends[movies] + 1), len(rated))
        if columns is None:
            return None
        # How many movies begin above each rating; 0 is the movie of the group before.
        known = np.array([self._movie or 0, *numbers], np.int64)
        columns = replace(columns, items=known[np.searchsorted(movies, rated)])
        is_first = np.diff(rated, prepend=-2) != 1
        is_first[np.searchsorted(rated, firsts[firsts <= rated[-1]])] = True
        rows = np.flatnonzero(is_first)
        places = np.searchsorted(firsts, rated[rows], side="right") - 1
        runs = [
            (row, group[place].file, group[place].line + line - int(firsts[place]))
            for row, place, line in zip(
                rows.tolist(), places.tolist(), rated[rows].tolist(), strict=True
            )
        ]
        return columns, runs, int(known[-1])

    def _read_carefully(self, block: FileBlock) -> Iterator[tuple[Columns, list[Run]]]:
        file = self._files[block.file]
        if block.line == 1:
            self._movie = None
        lines = block.content.split(b"\n")
        places = [place for place, line in enumerate(lines) if MOVIE.match(line)]
        for start, end in zip([-1, *places], [*places, len(lines)], strict=True):
            if start >= 0 and (found := MOVIE.match(lines[start])):
                self._movie = int(found[1])
            first, section = block.line + start + 1, b"\n".join(lines[start + 1 : end])
            if not section.strip():
                continue
            if self._movie is None:
                problem = "the ratings begin without a movie"
                remedy = "Write a line such as '123:' above them."
                error = SourceError(problem, file=file.label, line=first, remedy=remedy)
                self._careful.problems.add(error)
                continue
            self._careful.file = file
            self._careful.form = replace(FORM, movie=str(self._movie))
            columns = self._careful.read(section, first)
            numbers = np.array(columns.lines, np.int64)
            rows = np.flatnonzero(np.diff(numbers, prepend=-2) != 1).tolist()
            yield columns, [(row, block.file, int(numbers[row])) for row in rows]


def _are_plain(letters: NDArray[np.uint8], starts: NDArray, ends: NDArray) -> bool:
    """Whether lines end in a comma and a date of ten characters, with dashes nowhere else."""
    return bool(
        (ends - starts >= SHORTEST).all()
        and (letters[ends - 11] == COMMA).all()
        and (letters[ends - 6] == DASH).all()
        and (letters[ends - 3] == DASH).all()
        and np.count_nonzero(letters == DASH) == 2 * len(ends)
    )


def _without(content: bytes, starts: NDArray, ends: NDArray) -> bytes:
    """The bytes that are not between ``starts`` and ``ends``, both ascending."""
    view = memoryview(content)
    kept = zip([0, *ends.tolist()], [*starts.tolist(), len(content)], strict=True)
    return b"".join(view[start:end] for start, end in kept)


def _read_plain(content: bytes, n_ratings: int) -> Columns | None:
    """The ratings of lines without movies; None if one is not perfectly plain."""
    parts = read_fast(content.translate(None, b"-"), PLAIN)
    if sum(len(part.ratings) for part in parts) != n_ratings:
        return None
    times = np.concatenate([part.times for part in parts if part.times is not None])
    offsets = times - FIRST_DATE
    seconds = _seconds_by_date()
    if offsets.min() < 0 or offsets.max() >= len(seconds):
        return None
    found = seconds[offsets]
    if found.min() < 0:
        return None
    users = np.concatenate([np.asarray(part.users) for part in parts])
    return Columns(users, users, np.concatenate([part.ratings for part in parts]), found)


#: The dates from 1970 to 2069 as whole numbers: 19700101, ...
FIRST_DATE = 19_700_101


@cache
def _seconds_by_date() -> NDArray[np.int64]:
    """Seconds since 1970 by the whole number of a date less FIRST_DATE; -1 for no date."""
    days = np.arange(np.datetime64("1970-01-01"), np.datetime64("2070-01-01"))
    numbers = np.array([int(str(day).replace("-", "")) for day in days])
    seconds = np.full(int(numbers[-1]) - FIRST_DATE + 1, -1, np.int64)
    seconds[numbers - FIRST_DATE] = days.astype("M8[s]").astype(np.int64)
    return seconds
