"""The errors of the library; each message says what to do."""

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


class ConfigurationError(CoreError):
    """A system, preset, split or option that does not exist or does not fit the data."""


class FitError(CoreError):
    """Training cannot give a usable model: NaN loss, no ratings, out of memory."""


class OutOfMemory(FitError):
    """The device has too little memory for this configuration."""


class Cancelled(CoreError):
    """The run was asked to stop; raised by a progress callback."""
