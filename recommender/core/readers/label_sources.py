"""Labels of items as they were read from side files, and the items that they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recommender.core.labels import ItemLabels
from recommender.core.readers.archive import SourceFile
from recommender.core.readers.header import first_lines, split_header
from recommender.core.readers.items import read_link
from recommender.core.readers.lines import Line
from recommender.core.readers.names import find_roles

#: The position in the rating matrix, or UNRATED, of each id of an item: its own ("item") and those
#: on other sites ("imdb", "tmdb").
ItemPlaces = Mapping[str, Mapping[str, int]]
IDS = ("item", "imdb", "tmdb")
#: Instead of a position: the item has no ratings, or is not in the data set.
UNRATED, UNKNOWN = -1, -2
REASONS = {UNRATED: "about items without ratings", UNKNOWN: "about unknown items"}


@dataclass(frozen=True, eq=False)
class LabelSource:
    """Labels of one kind; ``checksum`` is the SHA-256 of their file, or of both of the genome.

    ``left_out`` counts the statements that were left out, by the reason.
    """

    labels: ItemLabels
    checksum: str
    left_out: Mapping[str, int] = field(default_factory=dict)

    def describe(self) -> str:
        """One line for a report."""
        n_statements, n_items = len(self.labels.items), len(set(self.labels.items.tolist()))
        told = (
            f"{n_statements:,} statements of {len(self.labels.names):,} labels on {n_items:,} items"
        )
        if self.labels.times is not None:
            told += ", with times"
        if out := [
            f"{count:,} {reason}" for reason, count in sorted(self.left_out.items()) if count
        ]:
            told += f"; left out: {', '.join(out)}"
        return told


@dataclass
class SideTable:
    """The header of a side file, and the places of its columns by role."""

    file: SourceFile
    separator: str
    names: list[str]
    columns: dict[str, list[int]]
    ids: str  #: which of IDS its items are named by; "" if it names none
    has_header: bool = True

    def find_item(self, line: Line, fields: Sequence[str], places: ItemPlaces) -> int:
        """The position of the item of a line, UNRATED or UNKNOWN; SourceError if it names none."""
        column = self.columns[self.ids][0]
        text = fields[column].strip()
        if self.ids != "item":
            return places[self.ids].get(read_link(text, self.ids), UNKNOWN)
        if not text:
            raise line.error(self.names[column], "is empty", "Write the id of an item.")
        return places[self.ids].get(text, UNKNOWN)


def open_side_table(
    file: SourceFile, needed: Sequence[str], *, optional: Sequence[str] = (), has_items: bool = True
) -> SideTable:
    """Read the header of ``file``; SourceError if a needed column is missing or not unique.

    Tags of ml-10m have no header but the order of the columns of tags.csv.
    """
    first, roles = first_lines(file)[0], (*(IDS if has_items else ()), *needed, *optional)
    separator, names = split_header(first, roles)
    has_header = not ("tag" in needed and "::" in first and first[:1].isdigit())
    if not has_header:
        separator, names = "::", ["userId", "movieId", "tag", "timestamp"]
    columns = find_roles(names, roles)
    ids = next((kind for kind in IDS if columns.get(kind)), "")
    header = Line(file, 1)
    shown = ", ".join(names)[:200]
    for role in (*((ids or "item",) if has_items else ()), *needed):
        if not columns[role]:
            also = ", imdbId or tmdbId" if role == "item" else ""
            known = {"item": f"movieId{also}", "tagid": "tagId"}.get(role, role)
            problem = f"column {role!r} is missing among {shown}"
            raise header.error("header", problem, f"Name a column {known}.")
        if len(columns[role]) > 1 and role != "people":
            found = " and ".join(repr(names[place]) for place in columns[role])
            raise header.error("header", f"{found} could both be the {role}", "Rename one of them.")
    return SideTable(file, separator, names, columns, ids, has_header)


def find_places(items: Iterable[tuple[str, Mapping[str, str], int | None]]) -> ItemPlaces:
    """The places of items, each given by its id, its ids on other sites and its position if rated.

    Of several items with one id on another site, the first counts.
    """
    places: dict[str, dict[str, int]] = {kind: {} for kind in IDS}
    for item_id, links, position in items:
        for kind, key in {"item": item_id, **links}.items():
            if kind in places:
                places[kind].setdefault(key, UNRATED if position is None else position)
    return places
