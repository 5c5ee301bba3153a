"""The movies of a source: ids, titles, years, genres, and their ids elsewhere."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NoReturn

from recommender.core.errors import SourceError
from recommender.core.readers.columns import CONTROL, LONGEST_ID, WHOLE
from recommender.core.readers.members import Member
from recommender.core.readers.source import MovieRecord

LONGEST_TITLE = 500
FIRST_YEAR, LAST_YEAR = 1870, 2100
NO_GENRES = "(no genres listed)"
#: "Toy Story (1995)", and for series "Mushishi (2005-2006)"
TITLE_WITH_YEAR = re.compile(r"(?P<title>.*\S)\s*\((?P<year>\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\Z")
#: MovieLens files titles under their first noun: "Matrix, The", "Enfer, L'"
ARTICLE = re.compile(
    r"(?P<alias>a\.k\.a\. )?(?P<noun>[^()]+), (?P<article>The|A|An|Le|La|Les|Un|Une|Il|Lo|Gli|"
    r"El|Los|Las|Der|Die|Das|Ein|Eine|Det|Den|O|Os|As|L')(?=\s*(?:[()]|\Z))"
)
ML_100K_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)

#: names of the columns of a plain movies.csv, in lower case, and what they hold
COLUMNS = {
    "item": "item",
    "movie": "item",
    "movieid": "item",
    "title": "title",
    "year": "year",
    "genres": "genres",
}


@dataclass
class Catalogue:
    """Movies by id, in the order of the file."""

    member: Member
    movies: dict[str, MovieRecord]


def read_csv_movies(member: Member, *, text_ids: bool = False) -> Catalogue:
    """movies.csv with a header: ``movieId,title,genres`` or ``item,title[,year][,genres]``.

    With ``text_ids`` an id is kept letter by letter; without it 007 is 7.
    """
    lines = _csv_lines(member)
    columns = _columns(member, *next(lines, (1, [])))
    movies: dict[str, MovieRecord] = {}
    for line, fields in lines:
        spot = _Spot(member, line, text_ids)
        if len(fields) != len(columns):
            spot.refuse(None, f"{len(fields)} fields instead of {len(columns)}", "Mend the line.")
        row = dict(zip(columns, fields, strict=True))
        spot.add(
            movies,
            MovieRecord(
                spot.id(row["item"]),
                *spot.title(row["title"], row.get("year")),
                genres=_genres(row.get("genres", "")),
            ),
        )
    return _nonempty(Catalogue(member, movies))


def read_dat_movies(member: Member) -> Catalogue:
    """movies.dat: ``id::title (year)::genre|genre``, in UTF-8 or Latin-1."""
    movies: dict[str, MovieRecord] = {}
    for line, raw in member.lines():
        spot = _Spot(member, line)
        fields = spot.text(raw).split("::")
        if len(fields) != 3:
            spot.refuse(None, f"{len(fields)} fields instead of 3", "Write id::title::genres.")
        movie_id, title, genres = fields
        spot.add(movies, MovieRecord(spot.id(movie_id), *spot.title(title), genres=_genres(genres)))
    return _nonempty(Catalogue(member, movies))


def read_100k_movies(member: Member) -> Catalogue:
    """u.item: ``id|title (year)|release|video release|address|19 genre flags``, in Latin-1."""
    movies: dict[str, MovieRecord] = {}
    n_fields = 5 + len(ML_100K_GENRES)
    for line, raw in member.lines():
        spot = _Spot(member, line)
        fields = spot.text(raw).split("|")
        if len(fields) != n_fields:
            spot.refuse(None, f"{len(fields)} fields instead of {n_fields}", "Mend the line.")
        if odd := set(fields[5:]) - {"0", "1"}:
            spot.refuse("genre", f"{min(odd)[:40]!r} is no flag", "Write 0 or 1.")
        flags = zip(ML_100K_GENRES, fields[5:], strict=True)
        genres = [name for name, flag in flags if flag == "1" and name != "unknown"]
        title, year = spot.title(fields[1])
        if year is None and (released := re.search(r"-(\d{4})\Z", fields[2].strip())):
            year = int(released[1])
        spot.add(movies, MovieRecord(spot.id(fields[0]), title, year, genres))
    return _nonempty(Catalogue(member, movies))


def with_links(catalogue: Catalogue, member: Member) -> Catalogue:
    """The catalogue with the ids of links.csv (``movieId,imdbId,tmdbId``) added."""
    lines = _csv_lines(member)
    _, header = next(lines, (1, []))
    if [name.strip() for name in header] != ["movieId", "imdbId", "tmdbId"]:
        _Spot(member, 1).refuse(
            "header", "is not movieId,imdbId,tmdbId", "Restore the file, or leave it out."
        )
    linked: dict[str, dict[str, str]] = {}
    for line, fields in lines:
        spot = _Spot(member, line)
        if len(fields) != 3:
            spot.refuse(None, f"{len(fields)} fields instead of 3", "Mend the line.")
        movie = spot.id(fields[0])
        if movie in linked:
            spot.refuse("movieId", f"movie {movie} has a line already", "Keep one of the two.")
        if movie not in catalogue.movies:
            problem = f"movie {movie} is not in {catalogue.member.label}"
            spot.refuse("movieId", problem, "Add the movie there, or take the line out.")
        linked[movie] = spot.links(imdb=fields[1], tmdb=fields[2])
    movies = {
        key: replace(movie, external_ids=linked.get(key, {}))
        for key, movie in catalogue.movies.items()
    }
    return Catalogue(catalogue.member, movies)


@dataclass
class _Spot:
    """A line of a file, and what may stand on it."""

    member: Member
    line: int
    text_ids: bool = False

    def refuse(self, name: str | None, problem: str, remedy: str) -> NoReturn:
        raise SourceError(
            problem, file=self.member.label, line=self.line, field=name, remedy=remedy
        )

    def add(self, movies: dict[str, MovieRecord], movie: MovieRecord) -> None:
        if movie.external_id in movies:
            problem = f"movie {movie.external_id} has a line already"
            self.refuse("movieId", problem, "Keep one of the two.")
        movies[movie.external_id] = movie

    def text(self, raw: bytes) -> str:
        """Old MovieLens files are Latin-1, younger ones UTF-8; no title is likely to be both."""
        try:
            return self.printable(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return self.printable(raw.decode("latin-1"))

    def printable(self, text: str) -> str:
        if found := CONTROL.search(text):
            problem = f"the control character {found[0]!r}"
            self.refuse(None, problem, "Restore the file from its origin, or take it out.")
        return text

    def id(self, text: str) -> str:
        text = text.strip()
        if not text or len(text) > LONGEST_ID:
            problem = f"{text[:40]!r} is no id: 1 to {LONGEST_ID} characters"
            self.refuse("movieId", problem, "Give the movie an id.")
        if self.text_ids or not WHOLE.match(text):
            return text
        # The same number as in the ratings, however it is written there.
        return str(int(text))

    def title(self, text: str, year: str | None = None) -> tuple[str, int | None]:
        """The title as people say it, and the year, from a column of its own if there is one."""
        text = text.strip()
        if not text or len(text) > LONGEST_TITLE:
            problem = f"{text[:40]!r} is no title: 1 to {LONGEST_TITLE} characters"
            self.refuse("title", problem, "Mend the title.")
        if year is not None and year.strip():
            if not re.fullmatch(r"\d{4}", year.strip(), re.ASCII) or not _is_year(int(year)):
                problem = f"{year[:40]!r} is no year from {FIRST_YEAR} to {LAST_YEAR}"
                self.refuse("year", problem, "Mend it, or leave it empty.")
            return text, int(year)
        found = TITLE_WITH_YEAR.match(text)
        if found and _is_year(int(found["year"])):
            return _spoken(found["title"]), int(found["year"])
        return _spoken(text), None

    def links(self, *, imdb: str, tmdb: str) -> dict[str, str]:
        found = {"imdb": imdb.strip(), "tmdb": tmdb.strip()}
        for name, text in found.items():
            if text and not re.fullmatch(r"\d{1,12}", text, re.ASCII):
                self.refuse(f"{name}Id", f"{text[:40]!r} is no whole number", "Mend or empty it.")
        if found["imdb"]:
            found["imdb"] = f"tt{found['imdb']}"
        return {name: text for name, text in found.items() if text}


def _csv_lines(member: Member) -> Iterator[tuple[int, list[str]]]:
    """Each line's fields; a record that spans lines is refused, so that the numbers stay true."""
    for line, raw in member.lines():
        spot = _Spot(member, line)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            spot.refuse(None, f"byte {error.start + 1} is not UTF-8", "Save the file as UTF-8.")
        try:
            yield line, next(csv.reader([spot.printable(text)], strict=True))
        except csv.Error as error:
            problem = f"quotes that do not close on their line ({error})"
            spot.refuse(None, problem, "Write each movie on one line, with quotes in pairs.")


def _columns(member: Member, line: int, header: list[str]) -> list[str]:
    spot = _Spot(member, line)
    if not header:
        spot.refuse(None, "the file is empty", "Write the header item,title and a line a movie.")
    columns = []
    for name in header:
        column = COLUMNS.get(name.strip().lower().replace("_", ""))
        if column is None or column in columns:
            problem = f"column {name[:40]!r} is unknown or there twice"
            spot.refuse("header", problem, "Keep item, title, year and genres.")
        columns.append(column)
    for needed in ("item", "title"):
        if needed not in columns:
            spot.refuse("header", f"column {needed!r} is missing", "Add it.")
    return columns


def _nonempty(catalogue: Catalogue) -> Catalogue:
    if not catalogue.movies:
        raise SourceError(
            "there is no movie", file=catalogue.member.label, remedy="Restore it from its origin."
        )
    return catalogue


def _genres(text: str) -> list[str]:
    names = [name.strip() for name in text.split("|")]
    return [name for name in names if name and name != NO_GENRES]


def _is_year(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


def _spoken(title: str) -> str:
    """ "Matrix, The" as people say it, also within the brackets of a second title."""

    def turned(found: re.Match[str]) -> str:
        space = "" if found["article"] == "L'" else " "
        return f"{found['alias'] or ''}{found['article']}{space}{found['noun'].lstrip()}"

    return ARTICLE.sub(turned, title)


def stand_ins(ids: Iterable[str]) -> list[MovieRecord]:
    """Movies of a source that names none: the title is the id, or "Movie 12" for a number."""
    return [MovieRecord(key, f"Movie {key}" if key.isdigit() else key) for key in ids]
