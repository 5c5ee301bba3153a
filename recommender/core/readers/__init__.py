"""Readers: one source of ratings in, checked triples out; a damaged source is refused whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers import delimited, licence, movielens
from recommender.core.readers.members import BOM, HEAD, Container, Member, opened
from recommender.core.readers.source import MovieRecord, Progress, Source, ignore_progress

__all__ = ["MovieRecord", "Progress", "Source", "read_source"]

RATINGS = ("ratings.csv", "ratings.dat", "u.data")
NOT_RATINGS = {"movies.csv", "links.csv", "tags.csv", "genome-tags.csv", "genome-scores.csv"}
COMPANIONS = (
    *("movies.csv", "links.csv", "movies.dat", "u.item"),
    *(f"{fold}.{part}" for fold in movielens.FOLDS for part in ("base", "test")),
    *licence.FILES,
)
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf": "7z"}
EXPECTED = (
    "Name a folder, a zip or a file with ratings.csv, ratings.dat, u.data or a CSV with the "
    "header user,item,rating."
)


def read_source(
    path: Path, *, scale: Scale | None = None, progress: Progress = ignore_progress
) -> Source:
    """Read a folder, a zip or a file of ratings, recognised by content.

    MovieLens CSV (half stars), ``::`` lines (whole stars, or half stars where one occurs), the
    tabs of ml-100k (whole stars, with its official folds) or plain CSV (the first of
    ``delimited.USUAL_SCALES`` that fits). ``scale`` overrides. SourceError names the place of the
    first fault; nothing is written anywhere.
    """
    with opened(path, COMPANIONS) as container:
        ratings, files = _ratings(container)
        header = _first_line(ratings)
        if "::" in header:
            form, read = "movielens-dat", movielens.read_dat(ratings, files, scale, progress)
        elif header.count("\t") == len(movielens.HEADER) - 1 and header[:1].isdigit():
            form, read = "movielens-100k", movielens.read_100k(ratings, files, scale, progress)
        elif "movies.csv" in files and _is_movielens(header):
            form, read = "movielens-csv", movielens.read_csv(ratings, files, scale, progress)
        else:
            form, read = "csv", delimited.read(ratings, files, scale, progress, header)
        found, movies, used = read
        return Source(
            ratings=found,
            movies=movies,
            format=form,
            checksum=_checksum(used),
            licence_note=licence.licence_note(files),
        )


def _ratings(container: Container) -> tuple[Member, Mapping[str, Member]]:
    """The file with the ratings, and the files beside it."""
    if container.only is not None:
        return container.only, container.folders[""]
    named = [
        (files[name], files)
        for files in container.folders.values()
        for name in RATINGS
        if name in files
    ]
    found = named or [
        (member, files)
        for files in container.folders.values()
        for name, member in files.items()
        if name.lower().endswith(".csv") and name not in NOT_RATINGS and _is_plain(member)
    ]
    if not found:
        raise SourceError("there are no ratings in it", file=container.path, remedy=EXPECTED)
    if len(found) > 1:
        labels = ", ".join(member.label for member, _ in found[:5])
        raise SourceError(
            f"there are several files with ratings: {labels}",
            file=container.path,
            remedy="Name the one to take.",
        )
    return found[0]


def _first_line(member: Member) -> str:
    """The first line as text; SourceError where the file is no text at all."""
    head = member.head()
    for magic, name in PACKED.items():
        if head.startswith(magic):
            raise SourceError(f"is packed with {name}", file=member.label, remedy="Unpack it.")
    if not head.removeprefix(BOM).strip():
        raise SourceError("the file is empty", file=member.label, remedy=EXPECTED)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError(
            "the text is encoded as UTF-16", file=member.label, line=1, remedy="Save it as UTF-8."
        )
    line = head.removeprefix(BOM).split(b"\n", 1)[0].removesuffix(b"\r")
    if b"\0" in line or (len(head) == HEAD and b"\n" not in head):
        raise SourceError("is not a text file", file=member.label, remedy=EXPECTED)
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"byte {error.start + 1} is not UTF-8",
            file=member.label,
            line=1,
            remedy="Save it as UTF-8.",
        ) from error


def _is_movielens(header: str) -> bool:
    return tuple(name.strip().strip('"') for name in header.split(",")) == movielens.HEADER


def _is_plain(member: Member) -> bool:
    line = member.head().removeprefix(BOM).split(b"\n", 1)[0]
    return {"user", "item", "rating"} <= set(delimited.columns(line.decode("latin-1")))


def _checksum(used: Iterable[tuple[str, Member]]) -> str:
    """SHA-256 over the role and the SHA-256 of every file that was read."""
    lines = sorted(f"{member.sha256}  {role}\n" for role, member in used)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
