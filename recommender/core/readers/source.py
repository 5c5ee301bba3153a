"""Reads a whole source: checked ratings, the items, and where both came from."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from recommender.core.errors import ConfigurationError, SourceError
from recommender.core.labels import genre_labels
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
    has_titles,
    make_placeholders,
    read_100k_items,
    read_csv_items,
    read_dat_items,
    read_netflix_items,
)
from recommender.core.readers.label_sources import LabelSource, find_places
from recommender.core.readers.movielens import CSV, DAT, FOLDS, TABS, read_folds
from recommender.core.readers.netflix import (
    FOLD,
    PROBE,
    TITLES,
    NetflixFiles,
    find_netflix,
    read_probe,
)
from recommender.core.readers.netflix import LICENCE as NETFLIX_LICENCE
from recommender.core.readers.netflix_tables import read_netflix_table
from recommender.core.readers.problems import Problems
from recommender.core.readers.recognise import TABLES, find_ratings_file, recognise_format
from recommender.core.readers.side_information import (
    OF_MOVIELENS,
    open_side_files,
    read_side_files,
    side_files_of_movielens,
)
from recommender.core.readers.tables import read_table
from recommender.core.readers.to_ratings import to_ratings

FOLD_FILES = tuple(f"{fold}.{part}" for fold in FOLDS for part in ("base", "test"))
ITEM_FILES = {CSV.name: "movies.csv", DAT.name: "movies.dat", TABS.name: "u.item"}
#: Files of items that may lie beside other tables, after movies.csv, if they have ids and titles;
#: or else the only file in the folder that has.
ITEM_NAMES = ("items.csv", "books.csv", "games.csv", "songs.csv", "anime.csv")
COMPANIONS = (
    *("links.csv", *ITEM_FILES.values(), *ITEM_NAMES, *FOLD_FILES, *OF_MOVIELENS),
    *(*TITLES, PROBE, *licence.FILES),
)
#: What the checksum calls the file with the ratings.
ROLES = {DAT.name: "ratings.dat", TABS.name: "u.data"}


@dataclass(frozen=True, eq=False)
class RatingsSource:
    """One source, read and checked as a whole.

    ``ratings.item_ids`` are the items with at least one rating, in ascending order (whole numbers
    by value); ``items`` lists every item, and its ``external_id`` is such an id as text.
    ``checksum`` is the SHA-256 of the files with ratings and items, the same for a folder and its
    zip. ``side`` holds the labels read from side files, by kind; ``ratings.labels`` has the genres
    too.
    ``reading`` tells what was guessed, decided and left out, by the name of a report's line.
    """

    ratings: Ratings
    items: list[ItemRecord]
    format: str
    checksum: str
    licence_note: str
    reading: dict[str, str] = field(default_factory=dict)
    side: Mapping[str, LabelSource] = field(default_factory=dict)


def read_source(
    path: Path,
    *,
    scale: Scale | None = None,
    columns: Mapping[str, str] | None = None,
    keep: str = "",
    drop: Collection[str] = (),
    side: Mapping[str, Path] | None = None,
    progress: OnRead = ignore_bytes_read,
) -> RatingsSource:
    """Read a folder, a zip or a file of ratings; the format is recognised by content.

    Formats: MovieLens CSV (half stars), ``::`` lines (whole stars, or half stars if one occurs),
    ml-100k (whole stars, with its official folds), other tables and JSON lines (the first usual
    scale that fits), and the Netflix Prize (whole stars). ``scale`` replaces these scales;
    ``columns`` maps user, item, rating and timestamp to names or numbers of columns; ``keep``
    (first, last, mean) decides on repeated pairs; ``drop`` are ratings that mean "not rated", such
    as 0. ``side`` gives side files by keys of SIDE_FILES; those of MovieLens are found in its
    folder. SourceError names file, line and field of the first problems; nothing is written to
    disk.
    """
    beside = (*COMPANIONS, path.with_suffix(".item").name)
    with open_archive(path, beside) as archive:
        if netflix := find_netflix(archive):
            if columns:
                raise ConfigurationError(
                    "The files of the Netflix Prize have no columns to choose. Leave --columns out."
                )
            return _with_labels(
                _read_netflix(netflix, path, scale, keep, drop, progress), {}, side or {}
            )
        file, files = find_ratings_file(archive, columns or {})
        recognised = recognise_format(file, files, columns or {})
        form = recognised.form
        problems = Problems(path)
        used = {ROLES.get(form.name, "ratings.csv"): file}
        table = catalogue = None
        with problems.collecting():
            table = read_table(file, form, scale, progress, drop=drop)
        if item_file := _item_file(form, file, files):
            used[ITEM_FILES.get(form.name, "movies.csv")] = item_file
            with problems.collecting():
                catalogue = _read_items(form, item_file)
                if form.name not in ITEM_FILES:
                    catalogue.notes.setdefault("titles", f"from {item_file.label}")
        if catalogue and form == CSV and "links.csv" in files:
            used["links.csv"] = files["links.csv"]
            with problems.collecting():
                add_links(catalogue, files["links.csv"])
        if table is None or problems.count:
            raise problems.error()
        ratings = to_ratings(table, catalogue, keep)
        if form == TABS:
            used |= {name: files[name] for name in _fold_files(files)}
            ratings = replace(ratings, folds=read_folds(table, ratings, files))
        source = RatingsSource(
            ratings=ratings,
            items=list(catalogue.items.values())
            if catalogue
            else make_placeholders(map(str, table.item_ids.tolist())),
            format=form.name,
            checksum=_checksum(used),
            licence_note=licence.licence_note(files),
            reading=recognised.notes | table.notes | (catalogue.notes if catalogue else {}),
        )
        own = side_files_of_movielens(files) if form in (CSV, DAT) else {}
        return _with_labels(source, own, side or {})


def _read_netflix(
    files: NetflixFiles,
    path: Path,
    scale: Scale | None,
    keep: str,
    drop: Collection[str],
    progress: OnRead,
) -> RatingsSource:
    problems, notes = Problems(path), {}
    table = catalogue = None
    with problems.collecting():
        found = list(files.ratings.values())
        table = read_netflix_table(found, path, scale, progress, drop=drop)
    if files.titles:
        with problems.collecting():
            catalogue = read_netflix_items(files.titles)
    if table is None or problems.count:
        raise problems.error()
    ratings = to_ratings(table, catalogue, keep)
    if files.probe:
        probe, n_others = read_probe(files.probe, ratings)
        if probe.any():
            ratings = replace(ratings, folds={FOLD: probe})
        if n_others:
            notes["probe"] = (
                f"{n_others:,} pairs left out, because their movies have no ratings here"
            )
    return RatingsSource(
        ratings=ratings,
        items=list(catalogue.items.values())
        if catalogue
        else make_placeholders(map(str, table.item_ids.tolist())),
        format=table.form.name,
        checksum=_checksum(files.used),
        licence_note=NETFLIX_LICENCE,
        reading=table.notes | notes,
    )


def _with_labels(
    source: RatingsSource, own: Mapping[str, SourceFile], given: Mapping[str, Path]
) -> RatingsSource:
    """The source with the genres of its items and the labels of its side files."""
    ratings = source.ratings
    positions = {str(key): place for place, key in enumerate(ratings.item_ids.tolist())}
    known = [(item, positions.get(item.external_id)) for item in source.items]
    places = find_places((item.external_id, item.external_ids, place) for item, place in known)
    with open_side_files(given) as opened:
        side = read_side_files({**own, **opened}, places)
    genres = genre_labels((place, item.genres) for item, place in known if place is not None)
    found = {"genres": genres} | {kind: source.labels for kind, source in side.items()}
    labels = {kind: each for kind, each in found.items() if len(each.items)}
    return replace(source, ratings=replace(ratings, labels=labels), side=side)


def _item_file(
    form: TableFormat, ratings: SourceFile, files: Mapping[str, SourceFile]
) -> SourceFile | None:
    """The file that lists the items; other tables than MovieLens may come without one."""
    name = ITEM_FILES.get(form.name, "movies.csv")
    if name in files:
        return files[name]
    if form.name in ITEM_FILES:
        problem = f"{name} is missing from its folder"
        raise SourceError(problem, file=ratings.label, remedy=f"Add {name} of the same source.")
    ends = (*TABLES, ".item")
    tables = {name: file for name, file in files.items() if name.lower().endswith(ends)}
    found = [name for name, file in tables.items() if file is not ratings and has_titles(file)]
    known = [name for name in ITEM_NAMES if name in found]
    chosen = known[:1] or (found if len(found) == 1 else [])
    return files[chosen[0]] if chosen else None


def _read_items(form: TableFormat, file: SourceFile) -> ItemCatalogue:
    if form == DAT:
        return read_dat_items(file)
    if form == TABS:
        return read_100k_items(file)
    return read_csv_items(file, form.names[form.item])


def _fold_files(files: Mapping[str, SourceFile]) -> list[str]:
    """The files of the folds whose test set is there."""
    return [name for name in FOLD_FILES if name in files and f"{name[:2]}.test" in files]


def _checksum(used: Mapping[str, SourceFile]) -> str:
    """SHA-256 over the role and the SHA-256 of every file that was read."""
    lines = sorted(f"{file.sha256}  {role}\n" for role, file in used.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()
