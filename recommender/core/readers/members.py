"""The files of a source, be it a folder, a zip or one file: listed, bounded, read in blocks."""

from __future__ import annotations

import hashlib
import stat
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.core.errors import SourceError

BLOCK = 8 << 20
HEAD = 1 << 16
LONGEST_LINE = 1 << 16
#: blocks that may be read before they are hashed, and before they are parsed
AHEAD = 32
#: what one zip may unpack to, how much smaller than that it may be, how many files it may hold
LARGEST_ZIP = 8 << 30
LARGEST_RATIO = 100
SMALL_ENOUGH = 1 << 20
MOST_FILES = 10_000

BOM = b"\xef\xbb\xbf"
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # a compression method or feature that zipfile lacks
    RuntimeError,  # an encrypted member
    OSError,
)


class EndlessLine(Exception):
    """A line is longer than any line of a table can be; who counts the lines says which."""


@dataclass
class Member:
    """One file. ``label`` stands in messages; ``sha256`` is known once it was read to its end."""

    label: str
    size: int
    open: Callable[[], Any]
    sha256: str = ""

    def head(self) -> bytes:
        """The first bytes, for recognition."""
        with self._reading() as stream:
            return stream.read(HEAD)

    def blocks(self, size: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Pairs (number of the first line, bytes that end with a line), without byte order mark.

        SourceError names the line of a NUL byte or of a line that never ends.
        """
        line = 1
        try:
            for raw in self.raw_blocks(size):
                block = raw.tobytes()
                yield line, self.checked(block, line)
                line += count(block, b"\n")
        except EndlessLine:
            raise self.endless(line) from None

    def raw_blocks(
        self, size: int | None = None, hasher: Executor | None = None
    ) -> Iterator[NDArray[np.uint8]]:
        """The same blocks as they stand, hashed by ``hasher`` meanwhile; EndlessLine may end them.

        A block is overwritten after ``AHEAD`` others: fresh memory would take as long as reading.
        """
        size = size or BLOCK
        digest, rest = hashlib.sha256(), np.empty(0, np.uint8)
        ring: deque[tuple[NDArray[np.uint8], Future[None]]] = deque()
        with self._reading() as stream:
            while True:
                buffer = np.empty(0, np.uint8)
                if len(ring) > AHEAD + 1:
                    buffer, hashed = ring.popleft()
                    hashed.result()
                start = len(rest)
                if len(buffer) < start + size:
                    buffer = np.empty(start + size + HEAD, np.uint8)
                buffer[:start] = rest
                end = start + stream.readinto(buffer[start : start + size].data)
                if end == start:
                    break
                if hasher is None:
                    digest.update(buffer[start:end].data)
                else:
                    ring.append((buffer, hasher.submit(digest.update, buffer[start:end].data)))
                if cut := _after_last_line(buffer, start, end):
                    yield buffer[:cut]
                rest = buffer[cut:end].copy()
                if len(rest) > max(LONGEST_LINE, size):
                    raise EndlessLine
        if len(rest):
            yield rest
        for _, hashed in ring:
            hashed.result()
        self.sha256 = digest.hexdigest()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Pairs (line number, line without its end) of the lines that are not blank."""
        for first, block in self.blocks(HEAD):
            for offset, line in enumerate(block.split(b"\n")):
                line = line.removesuffix(b"\r")
                if len(line) > LONGEST_LINE:
                    raise self.endless(first + offset)
                if line.strip():
                    yield first + offset, line

    def checked(self, block: bytes, line: int) -> bytes:
        if line == 1:
            if block.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise SourceError(
                    "the text is encoded as UTF-16",
                    file=self.label,
                    line=1,
                    remedy="Save it as UTF-8.",
                )
            block = block.removeprefix(BOM)
        if (place := block.find(b"\0")) >= 0:
            raise SourceError(
                "a NUL byte, which no text has",
                file=self.label,
                line=line + block.count(b"\n", 0, place),
                remedy="Restore the file from its origin.",
            )
        return block

    def endless(self, line: int) -> SourceError:
        return SourceError(
            f"the line is longer than {LONGEST_LINE:,} bytes",
            file=self.label,
            line=line,
            remedy="Write one rating or movie on each line.",
        )

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            with self.open() as stream:
                yield stream
        except UNREADABLE as error:
            raise SourceError(
                f"cannot be read ({_reason(error)})",
                file=self.label,
                remedy="Get the file anew from its origin.",
            ) from error


@dataclass
class Container:
    """The files of a source by folder and name; ``only`` is the file that was named itself."""

    path: Path
    folders: dict[str, dict[str, Member]] = field(default_factory=dict)
    only: Member | None = None


@contextmanager
def opened(path: Path, beside: Collection[str]) -> Iterator[Container]:
    """The files of the source ``path``; nothing is unpacked to disk.

    Of the files that lie beside a single file, those named in ``beside`` belong to it.
    """
    if path.is_dir():
        yield _folder(path)
    elif not path.is_file():
        problem = "is not a file or folder" if path.exists() else "does not exist"
        raise SourceError(problem, file=path, remedy="Name a folder, a zip or a file with ratings.")
    elif _magic(path).startswith(b"PK"):
        try:
            archive = zipfile.ZipFile(path)
        except UNREADABLE as error:
            raise SourceError(
                "the zip is truncated or damaged",
                file=path,
                remedy="Get the file anew from its origin.",
            ) from error
        with archive:
            yield _zip(path, archive)
    else:
        others = [path.with_name(name) for name in beside if name != path.name]
        members = {file.name: _file(file, str(file)) for file in others if file.is_file()}
        yield Container(path, {"": members}, only=_file(path, str(path)))


def _folder(path: Path) -> Container:
    container = Container(path, {"": {}})
    for entry in _listed(path):
        inside = _listed(entry) if entry.is_dir() else [entry]
        where = entry.name if entry.is_dir() else ""
        for file in inside:
            if file.is_file():
                label = str(path / where / file.name)
                container.folders.setdefault(where, {})[file.name] = _file(file, label)
    return container


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise SourceError(f"cannot be listed ({_reason(error)})", file=folder) from error


def _file(path: Path, label: str) -> Member:
    try:
        return Member(label, path.stat().st_size, lambda: path.open("rb"))
    except OSError as error:
        raise SourceError(f"cannot be read ({_reason(error)})", file=label) from error


def _magic(path: Path) -> bytes:
    return _file(path, str(path)).head()[:4]


def _zip(path: Path, archive: zipfile.ZipFile) -> Container:
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise _unsafe(path, f"holds {len(entries):,} files, more than {MOST_FILES:,}")
    if sum(entry.file_size for entry in entries) > LARGEST_ZIP:
        raise _unsafe(path, f"unpacks to more than {LARGEST_ZIP >> 30} GiB")
    # Members that share their compressed bytes are how a small bomb becomes a large one.
    if sum(entry.compress_size for entry in entries) > path.stat().st_size:
        raise _unsafe(path, "has members that overlap")
    container = Container(path)
    for entry in entries:
        _check_entry(path, entry)
        name = PurePosixPath(entry.filename)
        if entry.is_dir() or "__MACOSX" in name.parts:
            continue
        folder = container.folders.setdefault(str(name.parent).removeprefix("."), {})
        if name.name in folder:
            raise _unsafe(path, f"holds {entry.filename!r} twice")
        label = f"{path}/{entry.filename}"
        folder[name.name] = Member(label, entry.file_size, partial(archive.open, entry))
    return container


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    # ``orig_filename``, because zipfile cuts a name at NUL and turns this system's separators.
    name = entry.orig_filename
    outside = name.startswith("/") or "\\" in name or ".." in name.split("/") or name[1:2] == ":"
    if outside or any(ord(letter) < 32 for letter in name):
        raise _unsafe(path, f"names a path outside itself: {name!r}")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _unsafe(path, f"holds a link: {name!r}")
    if entry.file_size > max(SMALL_ENOUGH, LARGEST_RATIO * entry.compress_size):
        raise _unsafe(path, f"would unpack {name!r} to over {LARGEST_RATIO} times its size")


def _unsafe(path: Path, problem: str) -> SourceError:
    return SourceError(
        f"the zip {problem}",
        file=path,
        remedy="Do not unpack it; get the data anew from its origin.",
    )


def _after_last_line(buffer: NDArray[np.uint8], start: int, end: int) -> int:
    """The place after the last line end between two places, 0 where there is none."""
    for first in (max(start, end - HEAD), start):
        if cut := buffer[first:end].tobytes().rfind(b"\n") + 1:
            return first + cut
    return 0


def count(block: bytes, part: bytes) -> int:
    """``block.count(part)``, for a single byte several times as fast."""
    if len(part) > 1:
        return block.count(part)
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == part[0]))


def count_controls(block: bytes) -> int:
    """How many bytes are control characters: line ends, tabs, and what no table should hold."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) < 32))


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.rstrip(".") or type(error).__name__
