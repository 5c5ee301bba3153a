"""Reads a whole source: checked ratings, the items, and where both came from."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from recommender.core.errors import SourceError
from recommender.core.ratings import Ratings, Scale
from recommender.core.readers import licence
from recommender.core.readers.archive import (
    OnRead,
    SourceFile,
    ignore_bytes_read,
    open_archive,
)
from recommender.core.readers.columns import TableFormat
from recommender.core.readers.items import (
    ItemCatalogue,
    ItemRecord,
    add_links,
    make_placeholders,
    read_100k_items,
    read_csv_items,
    read_dat_items,
)
from recommender.core.readers.movielens import CSV, DAT, FOLDS, TABS, read_folds
from recommender.core.readers.recognise import find_ratings_file, recognise_format
from recommender.core.readers.tables import read_table
from recommender.core.readers.to_ratings import to_ratings

FOLD_FILES = tuple(f"{fold}.{part}" for fold in FOLDS for part in ("base", "test"))
ITEM_FILES = {CSV.name: "movies.csv", DAT.name: "movies.dat", TABS.name: "u.item"}
COMPANIONS = ("links.csv", *ITEM_FILES.values(), *FOLD_FILES, *licence.FILES)
#: What the checksum calls the file with the ratings.
ROLES = {DAT.name: "ratings.dat", TABS.name: "u.data"}


@dataclass(frozen=True, eq=False)
class RatingsSource:
    """One source, read and checked as a whole.

    ``ratings.item_ids`` are the items with at least one rating, in ascending order (whole numbers
    by value); ``items`` lists every item, and its ``external_id`` is such an id as text.
    ``checksum`` is the SHA-256 of the files that were read, the same for a folder and its zip.
    """

    ratings: Ratings
    items: list[ItemRecord]
    format: str
    checksum: str
    licence_note: str


def read_source(
    path: Path, *, scale: Scale | None = None, progress: OnRead = ignore_bytes_read
) -> RatingsSource:
    """Read a folder, a zip or a file of ratings; the format is recognised by content.

    Formats: MovieLens CSV (half stars), ``::`` lines (whole stars, or half stars if one occurs),
    ml-100k (whole stars, with its official folds) and plain CSV (the first usual scale that fits).
    ``scale`` replaces these scales. SourceError names file, line and field of the first problem;
    nothing is written to disk.
    """
    with open_archive(path, COMPANIONS) as archive:
        file, files = find_ratings_file(archive)
        form = recognise_format(file, files)
        used = {ROLES.get(form.name, "ratings.csv"): file}
        if item_file := _item_file(form, file, files):
            used[ITEM_FILES.get(form.name, "movies.csv")] = item_file
        table = read_table(file, form, scale, progress)
        catalogue = None
        if item_file:
            catalogue = _read_items(form, item_file, text_ids=table.item_ids.dtype.kind == "U")
        if catalogue and form == CSV and "links.csv" in files:
            used["links.csv"] = files["links.csv"]
            add_links(catalogue, files["links.csv"])
        ratings = to_ratings(table, catalogue)
        if form == TABS:
            used |= {name: files[name] for name in _fold_files(files)}
            ratings = replace(ratings, folds=read_folds(table, ratings, files))
        return RatingsSource(
            ratings=ratings,
            items=list(catalogue.items.values())
            if catalogue
            else make_placeholders(map(str, table.item_ids.tolist())),
            format=form.name,
            checksum=_checksum(used),
            licence_note=licence.licence_note(files),
        )


def _item_file(
    form: TableFormat, ratings: SourceFile, files: Mapping[str, SourceFile]
) -> SourceFile | None:
    """The file that lists the items; plain CSV may come without one."""
    name = ITEM_FILES.get(form.name, "movies.csv")
    if name not in files and form.name in ITEM_FILES:
        problem = f"{name} is missing from its folder"
        raise SourceError(problem, file=ratings.label, remedy=f"Add {name} of the same source.")
    return files.get(name)


def _read_items(form: TableFormat, file: SourceFile, *, text_ids: bool) -> ItemCatalogue:
    if form == DAT:
        return read_dat_items(file)
    if form == TABS:
        return read_100k_items(file)
    return read_csv_items(file, text_ids=text_ids)


def _fold_files(files: Mapping[str, SourceFile]) -> list[str]:
    """The files of the folds whose test set is there."""
    return [name for name in FOLD_FILES if name in files and f"{name[:2]}.test" in files]


def _checksum(used: Mapping[str, SourceFile]) -> str:
    """SHA-256 over the role and the SHA-256 of every file that was read."""
    lines = sorted(f"{file.sha256}  {role}\n" for role, file in used.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
