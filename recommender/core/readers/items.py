"""The items of a source: ids, titles, years, genres, and their ids on other sites."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from recommender.core.errors import SourceError
from recommender.core.readers.archive import DOWNLOAD_AGAIN, SourceFile
from recommender.core.readers.columns import CONTROL, LONGEST_ID, WHOLE

LONGEST_TITLE = 500
FIRST_YEAR, LAST_YEAR = 1870, 2100
NO_GENRES = "(no genres listed)"
#: "Toy Story (1995)", and for series "Mushishi (2005-2006)"
TITLE_WITH_YEAR = re.compile(r"(?P<title>.*\S)\s*\((?P<year>\d{4})(?:\s*[-–]\s*(?:\d{4})?)?\)\Z")
#: MovieLens sorts titles by their first noun: "Matrix, The", "Enfer, L'"
ARTICLE = re.compile(
    r"(?P<alias>a\.k\.a\. )?(?P<noun>[^()]+), (?P<article>The|A|An|Le|La|Les|Un|Une|Il|Lo|Gli|"
    r"El|Los|Las|Der|Die|Das|Ein|Eine|Det|Den|O|Os|As|L')(?=\s*(?:[()]|\Z))"
)
ML_100K_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)

#: Names of the columns of movies.csv, in lower case without underscores, and their meaning.
COLUMNS = {
    "item": "item",
    "movie": "item",
    "movieid": "item",
    "title": "title",
    "year": "year",
    "genres": "genres",
}


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One item of a source, rated or not."""

    external_id: str
    title: str
    year: int | None = None
    genres: list[str] = field(default_factory=list)
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass
class ItemCatalogue:
    """The items of one file by id, in the order of its lines."""

    file: SourceFile
    items: dict[str, ItemRecord] = field(default_factory=dict)


def read_csv_items(file: SourceFile, *, text_ids: bool = False) -> ItemCatalogue:
    """Read movies.csv with a header: ``movieId,title,genres`` or ``item,title[,year][,genres]``.

    Ids that are whole numbers are normalised (007 is 7) unless ``text_ids`` is set.
    """
    lines = _csv_lines(file)
    columns = _columns(*next(lines, (_Line(file, 1), [])))
    catalogue = ItemCatalogue(file)
    for line, fields in lines:
        line.expect(len(columns), fields)
        row = dict(zip(columns, fields, strict=True))
        item_id = line.id(row["item"], text_ids=text_ids)
        title, year = line.title(row["title"], row.get("year"))
        line.add(catalogue, ItemRecord(item_id, title, year, _genres(row.get("genres", ""))))
    return _nonempty(catalogue)


def read_dat_items(file: SourceFile) -> ItemCatalogue:
    """Read movies.dat: ``id::title (year)::genre|genre``, in UTF-8 or Latin-1."""
    catalogue = ItemCatalogue(file)
    for number, raw in file.lines():
        line = _Line(file, number)
        fields = line.text(raw).split("::")
        line.expect(3, fields)
        item_id, title, genres = fields
        line.add(catalogue, ItemRecord(line.id(item_id), *line.title(title), _genres(genres)))
    return _nonempty(catalogue)


def read_100k_items(file: SourceFile) -> ItemCatalogue:
    """Read u.item: ``id|title (year)|release|video release|address|19 flags``, in Latin-1."""
    catalogue = ItemCatalogue(file)
    for number, raw in file.lines():
        line = _Line(file, number)
        fields = line.text(raw).split("|")
        line.expect(5 + len(ML_100K_GENRES), fields)
        if odd := set(fields[5:]) - {"0", "1"}:
            raise line.error("genre", f"{min(odd)[:40]!r} is not a flag", "Write 0 or 1.")
        flags = zip(ML_100K_GENRES, fields[5:], strict=True)
        genres = [name for name, flag in flags if flag == "1" and name != "unknown"]
        title, year = line.title(fields[1])
        if year is None and (released := re.search(r"-(\d{4})\Z", fields[2].strip())):
            year = int(released[1])
        line.add(catalogue, ItemRecord(line.id(fields[0]), title, year, genres))
    return _nonempty(catalogue)


def add_links(catalogue: ItemCatalogue, file: SourceFile) -> None:
    """Add the ids of links.csv (``movieId,imdbId,tmdbId``) to the items."""
    lines = _csv_lines(file)
    first, header = next(lines, (_Line(file, 1), []))
    if [name.strip() for name in header] != ["movieId", "imdbId", "tmdbId"]:
        problem = "is not movieId,imdbId,tmdbId"
        raise first.error("header", problem, "Restore the file, or remove it.")
    linked: set[str] = set()
    for line, fields in lines:
        line.expect(3, fields)
        item_id = line.id(fields[0])
        if item_id in linked:
            raise line.repeated(item_id)
        if item_id not in catalogue.items:
            problem = f"movie {item_id} is not in {catalogue.file.label}"
            raise line.error("movieId", problem, "Add the movie there, or remove the line.")
        linked.add(item_id)
        links = line.links(imdb=fields[1], tmdb=fields[2])
        catalogue.items[item_id] = replace(catalogue.items[item_id], external_ids=links)


def make_placeholders(ids: Iterable[str]) -> list[ItemRecord]:
    """Items of a source without titles: the title is the id, or "Movie 12" for a number."""
    return [ItemRecord(key, f"Movie {key}" if key.isdigit() else key) for key in ids]


@dataclass
class _Line:
    """One line of a file, and the rules for its fields."""

    file: SourceFile
    number: int

    def error(self, name: str | None, problem: str, remedy: str) -> SourceError:
        return SourceError(
            problem, file=self.file.label, line=self.number, field=name, remedy=remedy
        )

    def repeated(self, item_id: str) -> SourceError:
        problem = f"movie {item_id} is already on an earlier line"
        return self.error("movieId", problem, "Keep one of the two lines.")

    def add(self, catalogue: ItemCatalogue, item: ItemRecord) -> None:
        if item.external_id in catalogue.items:
            raise self.repeated(item.external_id)
        catalogue.items[item.external_id] = item

    def expect(self, n_fields: int, fields: list[str]) -> None:
        if len(fields) != n_fields:
            problem = f"{len(fields)} fields instead of {n_fields}"
            raise self.error(None, problem, "Correct the line.")

    def text(self, raw: bytes) -> str:
        """The line as text; older MovieLens files are Latin-1, newer ones UTF-8."""
        try:
            return self.printable(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return self.printable(raw.decode("latin-1"))

    def printable(self, text: str) -> str:
        if found := CONTROL.search(text):
            raise self.error(None, f"the control character {found[0]!r}", DOWNLOAD_AGAIN)
        return text

    def id(self, text: str, *, text_ids: bool = False) -> str:
        text = text.strip()
        if not text or len(text) > LONGEST_ID:
            problem = f"{text[:40]!r} is not an id of 1 to {LONGEST_ID} characters"
            raise self.error("movieId", problem, "Write an id.")
        # Ratings may spell the same number differently.
        return text if text_ids or not WHOLE.match(text) else str(int(text))

    def title(self, text: str, year: str | None = None) -> tuple[str, int | None]:
        """The title in its usual word order, and the year, from its own column if there is one."""
        text, year = text.strip(), (year or "").strip()
        if not text or len(text) > LONGEST_TITLE:
            problem = f"{text[:40]!r} is not a title of 1 to {LONGEST_TITLE} characters"
            raise self.error("title", problem, "Correct the title.")
        if year:
            if not re.fullmatch(r"\d{4}", year, re.ASCII) or not _is_year(int(year)):
                problem = f"{year[:40]!r} is not a year from {FIRST_YEAR} to {LAST_YEAR}"
                raise self.error("year", problem, "Correct it, or leave it empty.")
            return text, int(year)
        found = TITLE_WITH_YEAR.match(text)
        if found and _is_year(int(found["year"])):
            return _move_articles(found["title"]), int(found["year"])
        return _move_articles(text), None

    def links(self, *, imdb: str, tmdb: str) -> dict[str, str]:
        found = {"imdb": imdb.strip(), "tmdb": tmdb.strip()}
        for name, text in found.items():
            if text and not re.fullmatch(r"\d{1,12}", text, re.ASCII):
                problem = f"{text[:40]!r} is not a whole number"
                raise self.error(f"{name}Id", problem, "Correct it, or leave it empty.")
        if found["imdb"]:
            found["imdb"] = f"tt{found['imdb']}"
        return {name: text for name, text in found.items() if text}


def _csv_lines(file: SourceFile) -> Iterator[tuple[_Line, list[str]]]:
    """The fields of each line; a quoted field must not span lines, so that line numbers hold."""
    for number, raw in file.lines():
        line = _Line(file, number)
        try:
            yield line, next(csv.reader([line.printable(raw.decode("utf-8"))], strict=True))
        except UnicodeDecodeError as error:
            problem = f"byte {error.start + 1} is not UTF-8"
            raise line.error(None, problem, "Save the file as UTF-8.") from error
        except csv.Error as error:
            problem = f"a quote is not closed on its line ({error})"
            raise line.error(None, problem, "Write each movie on one line.") from error


def _columns(line: _Line, header: list[str]) -> list[str]:
    if not header:
        raise line.error(None, "the file is empty", "Write the header item,title and the movies.")
    columns: list[str] = []
    for name in header:
        column = COLUMNS.get(name.strip().lower().replace("_", ""))
        if column is None or column in columns:
            problem = f"column {name[:40]!r} is unknown or repeated"
            raise line.error("header", problem, "Keep item, title, year and genres.")
        columns.append(column)
    for needed in ("item", "title"):
        if needed not in columns:
            raise line.error("header", f"column {needed!r} is missing", "Add it.")
    return columns


def _nonempty(catalogue: ItemCatalogue) -> ItemCatalogue:
    if not catalogue.items:
        raise SourceError("contains no movies", file=catalogue.file.label, remedy=DOWNLOAD_AGAIN)
    return catalogue


def _genres(text: str) -> list[str]:
    names = [name.strip() for name in text.split("|")]
    return [name for name in names if name and name != NO_GENRES]


def _is_year(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


def _move_articles(title: str) -> str:
    """Turn "Matrix, The" into "The Matrix", also within the brackets of a second title."""

    def turned(found: re.Match[str]) -> str:
        space = "" if found["article"] == "L'" else " "
        return f"{found['alias'] or ''}{found['article']}{space}{found['noun'].lstrip()}"

    return ARTICLE.sub(turned, title)
