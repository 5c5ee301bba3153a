"""Reads the options of a study from a TOML file; pure."""

from __future__ import annotations

import tomllib
from typing import Any

from survey.errors import StudyError


def read_toml(content: bytes, *, name: str) -> dict[str, Any]:
    """The options in the file, unchecked. StudyError with the file's ``name``."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError(f"{name} is not UTF-8 text. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{name} is not TOML: {error}. See https://toml.io.") from error
