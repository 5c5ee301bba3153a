"""The files of a source (a folder, a zip or one file): listed, bounded, read in blocks of lines."""

from __future__ import annotations

import hashlib
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath, PurePosixPath
from typing import IO, TypeVar

import numpy as np

from recommender.core.errors import SourceError
from recommender.core.readers.containers import WORKBOOK, WORKBOOKS, is_packed, unpacked

T = TypeVar("T")
#: Bytes read so far and bytes in all; called once a block.
OnRead = Callable[[int, int], None]

#: Bytes read at a time. The memory of larger blocks goes back to the system after each, and
#: getting it again costs more than parsing. The careful path's objects are far larger than a block.
BLOCK = 8 << 20
HEAD = 1 << 16
LONGEST_LINE = 1 << 16
#: Limits of a zip: unpacked bytes, compression ratio (above a harmless size), number of files.
LARGEST_ZIP = 8 << 30
LARGEST_RATIO = 100
SMALL_ENOUGH = 1 << 20
MOST_FILES = 20_000  # the Netflix Prize has 17,770 files

NEWLINE = ord("\n")
BOM = b"\xef\xbb\xbf"
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    UnicodeError,  # UTF-16
    EOFError,
    NotImplementedError,  # a compression method or feature that zipfile lacks
    RuntimeError,  # an encrypted member
    OSError,
)
DOWNLOAD_AGAIN = "Download the file again."


def ignore_bytes_read(done: int, total: int) -> None:
    """The default listener."""


@dataclass
class SourceFile:
    """One file. ``label`` names it in messages; ``sha256`` is set once ``blocks`` has ended."""

    label: str
    size: int
    open: Callable[[], IO[bytes]]
    sha256: str = ""
    done: int = 0  #: bytes of ``size`` that ``blocks`` has read

    def head(self) -> bytes:
        """The first bytes, to recognise the format."""
        with self._reading() as (stream, _):
            return stream.read(HEAD)

    def blocks(self, size: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Pairs of a line number and the whole lines from there on, without byte order mark."""
        digest, rest, line, total = hashlib.sha256(), b"", 1, 0
        with self._reading() as (stream, raw):
            while chunk := stream.read(size or BLOCK):
                digest.update(chunk)
                total += len(chunk)
                if total > max(SMALL_ENOUGH, LARGEST_RATIO * self.size):
                    problem = f"unpacks to over {LARGEST_RATIO} times its size"
                    raise SourceError(problem, file=self.label, remedy=DOWNLOAD_AGAIN)
                self.done = min(raw.tell(), self.size)
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    block = b"".join((rest, memoryview(chunk)[:cut]))
                    yield line, block.removeprefix(BOM) if line == 1 else block
                    # twice as fast as bytes.count where lines are short
                    line += int(np.count_nonzero(np.frombuffer(block, np.uint8) == NEWLINE))
                    rest = b""
                rest += chunk[cut:]
                if len(rest) > LONGEST_LINE:
                    raise self._too_long(line)
        if rest:
            yield line, rest.removeprefix(BOM) if line == 1 else rest
        self.sha256 = digest.hexdigest()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Pairs of a line number and a line without its end; blank lines are skipped."""
        for first, block in self.blocks(HEAD):
            for line, raw in numbered_lines(block, first):
                if len(raw) > LONGEST_LINE:
                    raise self._too_long(line)
                yield line, raw

    def _too_long(self, line: int) -> SourceError:
        return SourceError(
            f"the line is longer than {LONGEST_LINE:,} bytes",
            file=self.label,
            line=line,
            remedy="Write one rating or movie on each line.",
        )

    @contextmanager
    def _reading(self) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """The unpacked stream, and that of the file itself."""
        try:
            with self.open() as stream:
                yield unpacked(stream, self.label), stream
        except UNREADABLE as error:
            raise SourceError(
                f"cannot be read ({_reason(error)})", file=self.label, remedy=DOWNLOAD_AGAIN
            ) from error


@dataclass
class Archive:
    """The files of a source by folder and name; ``only`` is the file that the user named."""

    path: Path
    folders: dict[str, dict[str, SourceFile]] = field(default_factory=dict)
    only: SourceFile | None = None


@contextmanager
def open_archive(path: Path, companions: Collection[str]) -> Iterator[Archive]:
    """Open a folder, a zip or one file; nothing is unpacked to disk.

    For one file, the files of the same folder named in ``companions`` belong to the source too.
    """
    if path.is_dir():
        yield _folder(path)
    elif not path.is_file():
        problem = "is not a file or folder" if path.exists() else "does not exist"
        raise SourceError(problem, file=path, remedy="Name a folder, a zip or a file with ratings.")
    elif _file(path, str(path)).head().startswith(b"PK"):
        try:
            archive = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise SourceError(
                "the zip is truncated or damaged", file=path, remedy=DOWNLOAD_AGAIN
            ) from error
        with archive:
            yield _zip(path, archive)
    else:
        others = [path.with_name(name) for name in companions if name != path.name]
        files = {file.name: _file(file, str(file)) for file in others if file.is_file()}
        yield Archive(path, {"": files}, only=_file(path, str(path)))


def read_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The same items; each is prepared by another thread while its predecessor is in use.

    Close the generator rather than leaving it to the garbage collector, because it owns a thread.
    """
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, items, None)
        while (item := following.result()) is not None:
            following = pool.submit(next, items, None)
            yield item


def numbered_lines(block: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    """Pairs of a line number and a line without LF or CRLF; blank lines are skipped."""
    for line, raw in enumerate(block.split(b"\n"), first):
        if raw.strip():
            yield line, raw.removesuffix(b"\r")


def _folder(path: Path) -> Archive:
    archive = Archive(path, {"": {}})
    for entry in _listed(path):
        folder = entry.name if entry.is_dir() else ""
        for file in _listed(entry) if folder else [entry]:
            if file.is_file():
                files = archive.folders.setdefault(folder, {})
                name = file.name if _name(file) in files else _name(file)
                files[name] = _file(file, str(path / folder / file.name))
    return archive


def _name(file: PurePath) -> str:
    """``ratings.csv`` for ``ratings.csv.gz`` too."""
    return file.stem if is_packed(file.name) else file.name


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f"cannot be listed ({_reason(error)})", file=folder) from error


def _file(path: Path, label: str) -> SourceFile:
    try:
        return SourceFile(label, path.stat().st_size, lambda: path.open("rb"))
    except OSError as error:
        raise SourceError(f"cannot be read ({_reason(error)})", file=label) from error


def _zip(path: Path, archive: zipfile.ZipFile) -> Archive:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise _unsafe(path, f"contains {len(entries):,} files, more than {MOST_FILES:,}")
    if sum(entry.file_size for entry in entries) > LARGEST_ZIP:
        raise _unsafe(path, f"unpacks to more than {LARGEST_ZIP >> 30} GiB")
    # Members that share their compressed bytes turn a small bomb into a large one.
    if sum(entry.compress_size for entry in entries) > path.stat().st_size:
        raise _unsafe(path, "has members that overlap")
    for member, what in WORKBOOKS.items():
        if any(entry.filename == member for entry in entries):
            raise SourceError(f"is a workbook of {what}", file=path, remedy=WORKBOOK)
    found = Archive(path)
    for entry in entries:
        _check_entry(path, entry)
        name = PurePosixPath(entry.filename)
        if entry.is_dir() or "__MACOSX" in name.parts:
            continue
        folder = found.folders.setdefault(str(name.parent).removeprefix("."), {})
        if _name(name) in folder:
            raise _unsafe(path, f"contains {entry.filename!r} twice")
        label = f"{path}/{entry.filename}"
        folder[_name(name)] = SourceFile(label, entry.file_size, partial(archive.open, entry))
    return found


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    # ``orig_filename``, because zipfile cuts a name at NUL and replaces the system's separators.
    name = entry.orig_filename
    outside = name.startswith("/") or "\\" in name or ".." in name.split("/") or name[1:2] == ":"
    if outside or any(ord(letter) < 32 for letter in name):
        raise _unsafe(path, f"names a path outside itself: {name!r}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _unsafe(path, f"contains a link: {name!r}")
    if entry.file_size > max(SMALL_ENOUGH, LARGEST_RATIO * entry.compress_size):
        raise _unsafe(path, f"would unpack {name!r} to over {LARGEST_RATIO} times its size")


def _unsafe(path: Path, problem: str) -> SourceError:
    return SourceError(
        f"the zip {problem}",
        file=path,
        remedy="Do not unpack it. Download the data again from the original site.",
    )


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.rstrip(".") or type(error).__name__
