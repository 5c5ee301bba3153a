"""The items of a source: ids, titles, years, genres, and their ids on other sites."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from recommender.core.errors import SourceError
from recommender.core.readers.archive import DOWNLOAD_AGAIN, SourceFile
from recommender.core.readers.columns import LONGEST_ID
from recommender.core.readers.header import first_lines, split_header
from recommender.core.readers.lines import Line
from recommender.core.readers.names import ITEMS, LINKS, find_roles, simple_name
from recommender.core.readers.problems import Problems
from recommender.core.readers.quotes import LineJoiner

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

#: Several genres in one field.
GENRES = re.compile(r"[,;]")
#: A year, also of a date or as a decimal number; 0 stands for an unknown one.
YEAR = re.compile(r"(-?[0-9]{1,4})(?:\.0+|-[0-9]{2}-[0-9]{2})?\Z")
IMDB = re.compile(r"(?:tt)?([0-9]{1,12})(?:\.0)?\Z")
TMDB = re.compile(r"([0-9]{1,12})(?:\.0)?\Z")


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
    notes: dict[str, str] = field(default_factory=dict)  #: what was left out, for the report


def read_csv_items(file: SourceFile, item_name: str = "item") -> ItemCatalogue:
    """Read a table with a header: an id and a title, and maybe a year and genres, in any order.

    ``item_name`` is what the table of ratings calls its items. Other columns are left out.
    """
    catalogue, problems = ItemCatalogue(file), Problems(file.label)
    separator, names = split_header(first_lines(file)[0], ("item", *ITEMS))
    columns = _columns(_ItemLine(file, 1), names, item_name)
    left_out = [name for place, name in enumerate(names) if place not in columns.values()]
    if left_out:
        catalogue.notes["titles"] = f"from {file.label}; left out: {', '.join(left_out)}"
    words = " " if names[columns.get("genres", 0)].endswith(":token_seq") else None
    lines = file.lines()
    next(lines)
    # Only columns that are left out may hold line ends.
    for number, raw in LineJoiner(separator).join(lines) if left_out else lines:
        line = _ItemLine(file, number)
        with problems.collecting():
            fields = line.split(raw, separator)
            line.expect(len(names), fields)
            row = {role: fields[place] for role, place in columns.items()}
            line.printable(" ".join(row.values() if left_out else fields))
            title, year = line.title(row["title"], row.get("year"))
            genres = row.get("genres", "").split(words) if words else _genres(row.get("genres", ""))
            line.add(catalogue, ItemRecord(line.id(row["item"]), title, year, genres))
    problems.raise_any()
    return _nonempty(catalogue)


def has_titles(file: SourceFile) -> bool:
    """Whether the header of a table names an id and a title."""
    try:
        names = split_header(first_lines(file)[0], ("item", *ITEMS))[1]
    except SourceError:
        return False
    roles = find_roles(names, ("item", "title"))
    return bool(roles["item"] and roles["title"])


def read_dat_items(file: SourceFile) -> ItemCatalogue:
    """Read movies.dat: ``id::title (year)::genre|genre``, in UTF-8 or Latin-1."""
    catalogue = ItemCatalogue(file)
    for number, raw in file.lines():
        line = _ItemLine(file, number)
        fields = line.text(raw).split("::")
        line.expect(3, fields)
        item_id, title, genres = fields
        line.add(catalogue, ItemRecord(line.id(item_id), *line.title(title), _genres(genres)))
    return _nonempty(catalogue)


def read_100k_items(file: SourceFile) -> ItemCatalogue:
    """Read u.item: ``id|title (year)|release|video release|address|19 flags``, in Latin-1."""
    catalogue = ItemCatalogue(file)
    for number, raw in file.lines():
        line = _ItemLine(file, number)
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


def read_netflix_items(file: SourceFile) -> ItemCatalogue:
    """Read movie_titles.txt: ``id,year,title``, in Latin-1; the year may be NULL.

    Nothing is quoted, and titles may contain commas.
    """
    catalogue, problems = ItemCatalogue(file), Problems(file.label)
    for number, raw in file.lines():
        line = _ItemLine(file, number)
        with problems.collecting():
            fields = line.text(raw).split(",", 2)
            line.expect(3, fields)
            year = fields[1].strip()
            title = line.title(fields[2], "0" if year in ("NULL", "") else year)
            line.add(catalogue, ItemRecord(line.id(fields[0]), *title))
    problems.raise_any()
    return _nonempty(catalogue)


def add_links(catalogue: ItemCatalogue, file: SourceFile) -> None:
    """Add the ids of links.csv (``movieId,imdbId,tmdbId``) to the items.

    Lines that cannot be used are counted in the notes: links are useful, but not needed.
    """
    separator, names = split_header(first_lines(file)[0], ("item", *LINKS))
    roles = find_roles(names, ("item", *LINKS))
    if not roles["item"] or not (roles["imdb"] or roles["tmdb"]):
        problem = "has no columns such as movieId,imdbId,tmdbId"
        raise _ItemLine(file, 1).error("header", problem, "Restore the file, or remove it.")
    unused, linked = Counter[str](), set[str]()
    lines = file.lines()
    next(lines)
    for number, raw in lines:
        fields = _ItemLine(file, number).split(raw, separator)
        if len(fields) != len(names):
            unused["of another number of fields"] += 1
            continue
        item, imdb, tmdb = (
            fields[places[0]].strip() if places else "" for places in roles.values()
        )
        if item not in catalogue.items or item in linked:
            unused["of a repeated item" if item in linked else "of an unknown item"] += 1
            continue
        linked.add(item)
        found = {"imdb": read_link(imdb, "imdb"), "tmdb": read_link(tmdb, "tmdb")}
        unused["with an id of another form"] += bool(
            (imdb and not found["imdb"]) or (tmdb and not found["tmdb"])
        )
        links = {site: link for site, link in found.items() if link}
        catalogue.items[item] = replace(catalogue.items[item], external_ids=links)
    if kinds := [f"{count:,} {kind}" for kind, count in unused.items() if count]:
        catalogue.notes["links"] = f"lines left out of {file.label}: {', '.join(kinds)}"


def read_link(text: str, site: str) -> str:
    """The id of an item at imdb (such as tt0114709) or tmdb (862); "" if ``text`` is none."""
    match = (IMDB if site == "imdb" else TMDB).match(text)
    if not match:
        return ""
    return f"tt{match[1].zfill(7)}" if site == "imdb" else match[1]


def make_placeholders(ids: Iterable[str]) -> list[ItemRecord]:
    """Items of a source without titles: the title is the id, or "Movie 12" for a number."""
    return [ItemRecord(key, f"Movie {key}" if key.isdigit() else key) for key in ids]


class _ItemLine(Line):
    """The rules for the fields of one item."""

    def repeated(self, item_id: str) -> SourceError:
        problem = f"movie {item_id} is already on an earlier line"
        return self.error("movieId", problem, "Keep one of the two lines.")

    def add(self, catalogue: ItemCatalogue, item: ItemRecord) -> None:
        if item.external_id in catalogue.items:
            raise self.repeated(item.external_id)
        catalogue.items[item.external_id] = item

    def id(self, text: str) -> str:
        text = text.strip()
        if not text or len(text) > LONGEST_ID:
            problem = f"{text[:40]!r} is not an id of 1 to {LONGEST_ID} characters"
            raise self.error("movieId", problem, "Write an id.")
        return text

    def title(self, text: str, year: str | None = None) -> tuple[str, int | None]:
        """The title in its usual word order, and the year, from its own column if there is one."""
        text, year = text.strip(), (year or "").strip()
        if not text or len(text) > LONGEST_TITLE:
            problem = f"{text[:40]!r} is not a title of 1 to {LONGEST_TITLE} characters"
            raise self.error("title", problem, "Correct the title.")
        if year:
            found = YEAR.match(year)
            if not found or int(found[1]) > LAST_YEAR:
                problem = f"{year[:40]!r} is not a year of up to {LAST_YEAR}"
                raise self.error("year", problem, "Correct it, or leave it empty.")
            return text, int(found[1]) or None
        found = TITLE_WITH_YEAR.match(text)
        if found and _is_year(int(found["year"])):
            return _move_articles(found["title"]), int(found["year"])
        return _move_articles(text), None


def _columns(line: _ItemLine, names: list[str], item_name: str) -> dict[str, int]:
    """The column of each role that is there; SourceError if id or title cannot be told."""
    simple = [simple_name(name) for name in names]
    items = find_roles(names, ["item"])["item"]
    same = [place for place in items if simple[place] == simple_name(item_name)]
    items = same or items
    if len(items) > 1:
        found = " and ".join(repr(names[place]) for place in items)
        remedy = f"Call the right one {item_name!r}, as the ratings do."
        raise line.error("header", f"{found} could both be the item", remedy)
    columns = {"item": items[0]} if items else {}
    for role, known in ITEMS.items():
        if present := [name for name in known if name in simple]:
            columns[role] = simple.index(present[0])
    for needed in ("item", "title"):
        if needed not in columns:
            problem = f"column {needed!r} is missing among {', '.join(names)[:200]}"
            raise line.error("header", problem, "Add it.")
    return columns


def _nonempty(catalogue: ItemCatalogue) -> ItemCatalogue:
    if not catalogue.items:
        raise SourceError("contains no movies", file=catalogue.file.label, remedy=DOWNLOAD_AGAIN)
    return catalogue


def _genres(text: str) -> list[str]:
    names = [name.strip() for name in (text.split("|") if "|" in text else GENRES.split(text))]
    return [name for name in names if name and name != NO_GENRES]


def _is_year(year: int) -> bool:
    return FIRST_YEAR <= year <= LAST_YEAR


def _move_articles(title: str) -> str:
    """Turn "Matrix, The" into "The Matrix", also within the brackets of a second title."""

    def turned(found: re.Match[str]) -> str:
        space = "" if found["article"] == "L'" else " "
        return f"{found['alias'] or ''}{found['article']}{space}{found['noun'].lstrip()}"

    return ARTICLE.sub(turned, title)
