"""Finds the file with the ratings of a source and recognises its format by its first line."""

from __future__ import annotations

import csv
from collections.abc import Mapping

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers.archive import BOM, HEAD, Archive, SourceFile
from recommender.core.readers.columns import TableFormat
from recommender.core.readers.movielens import CSV, DAT, HEADER, TABS

RATINGS = ("ratings.csv", "ratings.dat", "u.data")
NOT_RATINGS = {"movies.csv", "links.csv", "tags.csv", "genome-tags.csv", "genome-scores.csv"}
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z"}
EXPECTED = (
    "Name a folder, a zip or a file with ratings.csv, ratings.dat, u.data or a CSV with the "
    "header user,item,rating."
)
#: Scales that are tried in this order for plain CSV files.
USUAL_SCALES = (Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1), Scale(0.5, 10, 0.5))
#: Names of columns in headers, in lower case without underscores, and their meaning.
COLUMNS = {
    "user": "user",
    "userid": "user",
    "item": "item",
    "itemid": "item",
    "movie": "item",
    "movieid": "item",
    "rating": "rating",
    "stars": "rating",
    "timestamp": "timestamp",
}


def find_ratings_file(archive: Archive) -> tuple[SourceFile, Mapping[str, SourceFile]]:
    """The file with the ratings, and the files in its folder; SourceError unless there is one."""
    if archive.only is not None:
        return archive.only, archive.folders[""]
    folders = archive.folders.values()
    found = [(files[name], files) for files in folders for name in RATINGS if name in files] or [
        (file, files)
        for files in folders
        for name, file in files.items()
        if name.lower().endswith(".csv") and name not in NOT_RATINGS and _has_ratings_header(file)
    ]
    if not found:
        raise SourceError("contains no ratings", file=archive.path, remedy=EXPECTED)
    if len(found) > 1:
        labels = ", ".join(file.label for file, _ in found[:5])
        problem = f"contains several files with ratings: {labels}"
        raise SourceError(problem, file=archive.path, remedy="Name the one to import.")
    return found[0]


def recognise_format(file: SourceFile, files: Mapping[str, SourceFile]) -> TableFormat:
    """The format of a file of ratings; ``files`` are those in its folder."""
    header = _first_line(file)
    if "::" in header:
        return DAT
    if header.count("\t") == len(HEADER) - 1 and header[:1].isdigit():
        return TABS
    if "movies.csv" in files and tuple(_names(header)) == HEADER:
        return CSV
    return _plain_csv(file, _names(header))


def _plain_csv(file: SourceFile, names: list[str]) -> TableFormat:
    """The format announced by the header ``user,item,rating[,timestamp]``, in any order."""
    found = [_meaning(name) for name in names]
    problems = [
        *(
            f"column {need!r} is missing"
            for need in ("user", "item", "rating")
            if need not in found
        ),
        *(f"column {name[:40]!r} is unknown" for name in names if not _meaning(name)),
        *(f"column {name!r} is repeated" for name in found if found.count(name) > 1),
    ]
    if problems:
        raise SourceError(
            problems[0],
            file=file.label,
            line=1,
            field="header",
            remedy="Write the header user,item,rating or user,item,rating,timestamp.",
        )
    return TableFormat(
        "csv",
        ",",
        tuple(names),
        user=found.index("user"),
        item=found.index("item"),
        rating=found.index("rating"),
        timestamp=found.index("timestamp") if "timestamp" in found else None,
        scales=USUAL_SCALES,
        has_header=True,
        text_ids=True,
    )


def _names(header: str) -> list[str]:
    """The fields of a header, or none if a quote is not closed."""
    try:
        return [name.strip() for name in next(csv.reader([header], strict=True), [])]
    except csv.Error:
        return []


def _meaning(name: str) -> str:
    return COLUMNS.get(name.lower().replace("_", ""), "")


def _has_ratings_header(file: SourceFile) -> bool:
    line = file.head().removeprefix(BOM).split(b"\n", 1)[0].decode("latin-1")
    return {"user", "item", "rating"} <= {_meaning(name) for name in _names(line)}


def _first_line(file: SourceFile) -> str:
    """The first line; SourceError if the file is not text."""
    head = file.head()
    for magic, name in PACKED.items():
        if head.startswith(magic):
            raise SourceError(f"is packed with {name}", file=file.label, remedy="Unpack it.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        problem = "is encoded as UTF-16"
        raise SourceError(problem, file=file.label, line=1, remedy="Save it as UTF-8.")
    head = head.removeprefix(BOM)
    if not head.strip():
        raise SourceError("the file is empty", file=file.label, remedy=EXPECTED)
    line = head.split(b"\n", 1)[0].removesuffix(b"\r")
    if b"\0" in line or (len(head) >= HEAD - len(BOM) and b"\n" not in head):
        raise SourceError("is not a text file", file=file.label, remedy=EXPECTED)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} is not UTF-8"
        raise SourceError(problem, file=file.label, line=1, remedy="Save it as UTF-8.") from error
