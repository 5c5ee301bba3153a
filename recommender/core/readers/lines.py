"""One line of a file, decoded and split, and the errors that name it."""

from __future__ import annotations

from dataclasses import dataclass

from recommender.core.errors import SourceError
from recommender.core.readers.archive import DOWNLOAD_AGAIN, SourceFile
from recommender.core.readers.columns import CONTROL, LineError, split_line


@dataclass
class Line:
    """The line ``number`` of ``file``."""

    file: SourceFile
    number: int

    def error(self, name: str | None, problem: str, remedy: str) -> SourceError:
        return SourceError(
            problem, file=self.file.label, line=self.number, field=name, remedy=remedy
        )

    def expect(self, n_fields: int, fields: list[str]) -> None:
        if len(fields) != n_fields:
            problem = f"{len(fields)} fields instead of {n_fields}"
            raise self.error(None, problem, "Correct the line.")

    def text(self, raw: bytes) -> str:
        """The line as text; older MovieLens files are Latin-1, newer ones UTF-8."""
        try:
            return self.printable(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return self.printable(raw.decode("latin-1"))

    def printable(self, text: str) -> str:
        if found := CONTROL.search(text):
            raise self.error(None, f"the control character {found[0]!r}", DOWNLOAD_AGAIN)
        return text

    def split(self, raw: bytes, separator: str) -> list[str]:
        """The fields; a quoted field must not span lines, so that line numbers hold."""
        try:
            return split_line(raw.decode("utf-8"), separator)
        except UnicodeDecodeError as error:
            problem = f"byte {error.start + 1} is not UTF-8"
            raise self.error(None, problem, "Save the file as UTF-8.") from error
        except LineError as error:
            raise self.error(None, *error.args) from error
