"""Unpacks what tables come in: gzip, UTF-16, Parquet, a JSON array; names what it cannot."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import re
from collections.abc import Callable, Iterator
from typing import IO, Any

from recommender.core.errors import SourceError

UNPACK: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
    b"PAR1": lambda stream: io.BufferedReader(_Pieces(_parquet_as_csv(stream))),
}
#: The beginning of a JSON array of objects.
ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\{")
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
WORKBOOK, PACKED = "Save its sheet as CSV, and import that.", "Unpack it."
#: What cannot be read: what it is, and what to do.
FOREIGN = {
    b"\xd0\xcf\x11\xe0": ("is a workbook of Excel (.xls)", WORKBOOK),
    b"7z\xbc\xaf": ("is packed with 7z", PACKED),
    b"Rar!": ("is packed with rar", PACKED),
    b"\x28\xb5\x2f\xfd": ("is packed with zstd", PACKED),
    b"ARROW1": ("is an Arrow file", "Save it as Parquet or CSV."),
    b"\x89HDF": ("is an HDF5 file", "Save its table of ratings as CSV or Parquet."),
    b"\x80\x04": ("is a pickle of Python", "Save its table of ratings as CSV or Parquet."),
    b"\x80\x05": ("is a pickle of Python", "Save its table of ratings as CSV or Parquet."),
    b"<!DOCTYPE": ("is a web page", "Download the data themselves."),
    b"<html": ("is a web page", "Download the data themselves."),
    b"version https://": ("only points to a file in Git LFS", "Fetch it: git lfs pull."),
    b"SQLite format 3": ("is a SQLite database", "Export its table of ratings as CSV."),
}
#: Member of the zip that a workbook is, and what it is called.
WORKBOOKS = {"[Content_Types].xml": "Excel (.xlsx)", "content.xml": "LibreOffice (.ods)"}
ROWS = 500_000


def unpacked(stream: IO[bytes], label: str) -> IO[bytes]:
    """The text of a file as UTF-8, whatever it is packed in; SourceError if it is no table."""
    while head := _peek(stream):
        for magic, (what, remedy) in FOREIGN.items():
            if head.startswith(magic):
                raise SourceError(what, file=label, remedy=remedy)
        if ARRAY.match(head):
            return io.BufferedReader(_Pieces(_array_as_lines(stream)))
        if head.startswith(UTF_16):
            return codecs.EncodedFile(stream, "utf-8", "utf-16")
        unpack = next((UNPACK[magic] for magic in UNPACK if head.startswith(magic)), None)
        if unpack is None:
            break
        stream = unpack(stream)
    return stream


def is_packed(name: str) -> bool:
    return name.endswith((".gz", ".bz2", ".xz"))


def _peek(stream: IO[bytes]) -> bytes:
    peek = getattr(stream, "peek", None)
    return peek(16) if peek else b""


def _parquet_as_csv(stream: IO[bytes]) -> Iterator[bytes]:
    """The rows as lines of CSV under a header; columns of lists and the like come out empty."""
    import polars
    from polars import selectors

    try:
        table = polars.scan_parquet(stream)
        kinds = table.collect_schema().items()
        rows = table.select(polars.len()).collect().item()
        # A line end within a field would move all lines below it; no id may contain a NUL either.
        table = table.with_columns(
            selectors.string().str.replace_all("[\r\n]", "\0"),
            *(polars.lit("").alias(name) for name, kind in kinds if kind.is_nested()),
            *(polars.lit("").alias(name) for name, kind in kinds if kind == polars.Binary),
        )
        for start in range(0, max(1, rows), ROWS):
            part = table.slice(start, ROWS).collect()
            yield part.write_csv(include_header=start == 0).encode()
    except polars.exceptions.PolarsError as error:
        raise OSError(f"not a Parquet file: {str(error).splitlines()[0]}") from error


def _array_as_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The objects of a JSON array as JSON lines; numbers become text, so that they keep letters."""
    try:
        records = json.load(stream, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError) as error:
        raise OSError(f"not JSON: {error}") from error
    for record in records:
        yield json.dumps(record).encode() + b"\n"


class _Pieces(io.RawIOBase):
    """A stream of the pieces of an iterator."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._rest = self._rest or next(self._pieces, b"")
        n = min(len(buffer), len(self._rest))
        buffer[:n], self._rest = self._rest[:n], self._rest[n:]
        return n
