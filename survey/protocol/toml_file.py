"""Reads files that a researcher names: the options of a study in TOML, and texts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from survey.errors import StudyError

#: More than any file of options or text needs.
LARGEST_BYTES = 1_000_000


def read_toml(file: Path) -> dict[str, Any]:
    """The options in the file, unchecked. StudyError."""
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{file} is not TOML: {error}. See https://toml.io.") from error


def read_text(file: Path) -> str:
    """A UTF-8 text without byte order mark and outer white space. StudyError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
        text = content.decode("utf-8-sig").strip()
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}. Name a file.") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{file} is not UTF-8 text. Save it as UTF-8.") from error
    if len(content) > LARGEST_BYTES:
        raise StudyError(f"{file} is larger than {LARGEST_BYTES:,} bytes. Name another file.")
    if not text:
        raise StudyError(f"{file} is empty. Write the text into it, or leave the flag out.")
    return text.replace("\r\n", "\n")
