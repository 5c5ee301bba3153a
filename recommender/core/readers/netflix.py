"""The files of the Netflix Prize: which are there, their licence, and the probe set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError
from recommender.core.ratings import Ratings
from recommender.core.readers.archive import Archive, SourceFile
from recommender.core.readers.columns import is_canonical
from recommender.core.readers.header import first_lines
from recommender.core.readers.lines import Line
from recommender.core.readers.netflix_tables import MOVIE
from recommender.core.readers.problems import Problems
from recommender.core.readers.to_ratings import pair_keys

RATINGS = re.compile(r"(combined_data|mv)_([0-9]+)\.txt\Z")
TITLES = ("movie_titles.txt", "movie_titles.csv")
PROBE = "probe.txt"
FOLD = "probe"
LICENCE = (
    "Netflix no longer gives this data set away, because researchers identified raters in it by "
    "comparing their ratings with public ones (Narayanan and Shmatikov, 2008). Its terms allow "
    "research only, without redistribution or attempts to identify raters. Keep it private, and "
    "show no profiles to people who may know the raters."
)


@dataclass(frozen=True)
class NetflixFiles:
    """The files of a source by name; ``ratings`` in the order of their numbers."""

    ratings: Mapping[str, SourceFile]
    titles: SourceFile | None
    probe: SourceFile | None

    @property
    def used(self) -> dict[str, SourceFile]:
        """The files that are read, by the name that the checksum gives them."""
        others = {TITLES[0]: self.titles, PROBE: self.probe}
        return {**self.ratings, **{name: file for name, file in others.items() if file}}


def find_netflix(archive: Archive) -> NetflixFiles | None:
    """The files of the Netflix Prize in ``archive``, in any folder; None if it is another source.

    The qualifying set is not read, because it has no ratings.
    """
    every = [(name, file) for files in archive.folders.values() for name, file in files.items()]
    if archive.only:
        if not _begins_with_movie(archive.only):
            return None
        named = {archive.path.name: archive.only}
    else:
        found = [(match, name, file) for name, file in every if (match := RATINGS.match(name))]
        if not found:
            return None
        if len({match[1] for match, *_ in found}) > 1 or len({name for _, name, _ in found}) < len(
            found
        ):
            raise SourceError(
                "contains the ratings of the Netflix Prize several times",
                file=archive.path,
                remedy="Name a folder that contains them once.",
            )
        found.sort(key=lambda each: int(each[0][2]))
        named = {name: file for _, name, file in found}
    others = {name: file for name, file in every if name in (*TITLES, PROBE)}
    titles = next((others[name] for name in TITLES if name in others), None)
    return NetflixFiles(named, titles, others.get(PROBE))


def read_probe(file: SourceFile, ratings: Ratings) -> tuple[NDArray[np.bool_], int]:
    """Which ratings (n) are in the probe set, and how many of its pairs are of other movies.

    The file has a line ``movie:`` and then a user on each line. A pair of a movie that has ratings
    must be one of them; SourceError names the lines of others.
    """
    movies, users, numbers = _read_pairs(file)
    items, has_item = _positions(ratings.item_ids, movies)
    rows, has_user = _positions(ratings.user_ids, users)
    keys = pair_keys(ratings.rows(), ratings.indices, ratings.n_items)
    wanted = pair_keys(rows, items, ratings.n_items)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    is_known = has_item & has_user & (keys[places] == wanted)
    problems = Problems(file.label)
    for place in np.flatnonzero(has_item & ~is_known).tolist():
        problem = f"user {users[place]} did not rate movie {movies[place]}"
        line = Line(file, int(numbers[place]))
        problems.add(line.error("userId", problem, "Restore the file, or remove it."))
    problems.raise_any()
    mask = np.zeros(ratings.n_ratings, np.bool_)
    mask[places[is_known]] = True
    return mask, int(np.count_nonzero(~has_item))


def _read_pairs(file: SourceFile) -> tuple[NDArray, NDArray, NDArray]:
    """The movie, the user and the line of each pair."""
    problems = Problems(file.label)
    pairs: list[tuple[int, int, int]] = []
    movie = None
    for number, raw in file.lines():
        if found := MOVIE.match(raw):
            movie = int(found[1])
            continue
        user = raw.decode("latin-1").strip()
        line = Line(file, number)
        with problems.collecting():
            if movie is None:
                remedy = "Write a line such as '123:' above it."
                raise line.error(None, "the user is above the first movie", remedy)
            if not is_canonical(user):
                problem = f"{user[:40]!r} is not the number of a user"
                raise line.error("userId", problem, "Write one user on each line.")
            pairs.append((movie, int(user), number))
    problems.raise_any()
    if not pairs:
        remedy = "Restore the file, or remove it."
        raise SourceError("contains no users", file=file.label, remedy=remedy)
    movies, users, numbers = np.array(pairs, np.int64).T
    return movies, users, numbers


def _positions(ids: NDArray, wanted: NDArray) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The position of each wanted id (n) in ``ids``, and whether it is there."""
    places = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return places, ids[places] == wanted


def _begins_with_movie(file: SourceFile) -> bool:
    try:
        return MOVIE.match(first_lines(file)[0].encode()) is not None
    except SourceError:
        return False
