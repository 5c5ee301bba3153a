"""What can go wrong in the library, each with a message that says what to do."""

from pathlib import Path


class CoreError(Exception):
    """Base of every error that a user of the library can mend."""


class SourceError(CoreError):
    """A source of ratings is damaged; nothing of it was taken.

    The message reads ``FILE:LINE: field: what is wrong. Remedy.``, without the parts that do not
    apply.
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
    """Training cannot give a usable model (NaN loss, no ratings, memory)."""


class OutOfMemory(FitError):
    """The device has too little memory for this configuration."""


class Cancelled(CoreError):
    """The run was asked to stop; raised out of a progress callback."""
