"""The errors of the library; each message says what to do."""

from collections.abc import Sequence
from pathlib import Path


class CoreError(Exception):
    """Base of all errors that a user of the library can fix."""


class SourceError(CoreError):
    """A source of ratings is invalid; nothing was imported from it.

    The message reads ``FILE:LINE: field: what is wrong. Remedy.``; parts that do not apply are
    left out.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        remedy: str = "",
    ) -> None:
        place = "" if file is None else f"{file}:" if line is None else f"{file}:{line}:"
        parts = [place, f"{field}:" if field else "", f"{problem.rstrip('.')}.", remedy]
        super().__init__(" ".join(part for part in parts if part))
        self.file, self.line, self.field = file, line, field


class SourceProblems(SourceError):
    """All problems of a source: their number and causes, and a line for each of the first ones.

    Place and field are those of the first problem.
    """

    def __init__(
        self, source: str | Path, first: Sequence[SourceError], count: int, causes: Sequence[str]
    ) -> None:
        if count == 1:
            text = " ".join([str(first[0]), *causes])
        else:
            more = f", the first {len(first)}" if count > len(first) else ""
            head = f"{source} has {count:,} problems{more}; nothing was imported."
            text = "\n  ".join([" ".join([head, *causes]), *map(str, first)])
        CoreError.__init__(self, text)
        self.first, self.count, self.causes = first, count, causes
        self.file, self.line, self.field = first[0].file, first[0].line, first[0].field


class ConfigurationError(CoreError):
    """A system, preset, split or option that does not exist or does not fit the data."""


class FitError(CoreError):
    """Training cannot give a usable model: NaN loss, no ratings, out of memory."""


class OutOfMemory(FitError):
    """The device has too little memory for this configuration."""


class Cancelled(CoreError):
    """The run was asked to stop; raised by a progress callback."""
