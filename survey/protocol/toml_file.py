"""A protocol from a TOML file or from flags: every key known, every value of its type; pure.

What a value may be is said by ``survey.protocol``; here only its form is looked at.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from survey.errors import StudyError
from survey.protocol import panels
from survey.protocol.fields import Protocol

#: field -> the type that a file gives it, and how to write it there
FORMS: Mapping[str, tuple[type, str]] = {
    "pairs": (str, '"every" or "balanced"'),
    "maximum_profile": (int, "a whole number, such as 200"),
    "era_from": (int, "a year, such as 1980"),
    "era_to": (int, "a year, such as 1999"),
    "third_answer": (str, '"tie" or "unsure"'),
    "ask_familiarity": (bool, "true or false"),
    "ask_confidence": (bool, "true or false"),
    "ask_comment": (bool, "true or false"),
    "n_practice": (int, "a whole number, such as 2"),
    "n_checks": (int, "a whole number, such as 2"),
    "checks_to_pass": (int, "a whole number, such as 1"),
    "n_repeats": (int, 'a whole number, or a share of the questions, such as "10%"'),
    "changes": (str, '"never", "previous" or "finish"'),
    "return_after": (int, "a whole number of minutes, such as 120"),
    "language": (str, 'the code of a language, such as "de"'),
    "translations": (dict, 'tables such as [translations.de] with title = "…"'),
    "entry": (str, '"open", "personal" or "panel"'),
    "panel": (dict, 'a table [panel], such as preset = "prolific" and its three codes'),
    "before": (list, "tables [[before]], one for each item"),
    "after": (list, "tables [[after]], one for each item"),
    "withdraw_until": (date, "a date without quotes, such as 2026-12-31"),
}


def read_protocol(content: bytes, *, name: str, questions: int) -> dict[str, Any]:
    """The fields that a TOML file decides. StudyError with ``name``, the field and a remedy.

    ``questions`` an appraiser are what a share of repeats is taken of.
    """
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise StudyError(f"{name} is not UTF-8 text. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise StudyError(f"{name} is not TOML: {error}. See https://toml.io.") from error
    return {
        field: _value(field, value, name=name, questions=questions)
        for field, value in table.items()
    }


def protocol(decided: Mapping[str, Any]) -> Protocol:
    """The protocol with these fields, checked as a whole. StudyError."""
    made = Protocol(**{**decided, "panel": panels.described(decided.get("panel", {}))})
    made.check()
    return made


def repeats(text: str, questions: int) -> int:
    """``3``, or ``10%`` of the questions: to the nearest whole number, one at least. StudyError."""
    share = text.endswith("%")
    digits = text.removesuffix("%").strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 4:
        raise StudyError(
            f"{text!r} repeated questions are not possible. Give a number, such as 2, or a share "
            "of an appraiser's questions, such as 10%."
        )
    number = int(digits)
    if not share or not number:
        return number
    return max(1, (number * questions + 50) // 100)


def era(text: str) -> dict[str, int | None]:
    """The fields of ``FROM-TO``, ``FROM-`` or ``-TO``, years of four digits. StudyError."""
    first, dash, last = (part.strip() for part in text.partition("-"))
    years = [year for year in (first, last) if year]
    if not dash or not years or any(not _is_year(year) for year in years):
        raise StudyError(
            f"An era {text!r} is not possible. Write FROM-TO, such as 1980-1999; either year may "
            "be left out."
        )
    return {"era_from": int(first) if first else None, "era_to": int(last) if last else None}


def prolific(text: str) -> dict[str, Any]:
    """The fields of Prolific's codes ``DONE,SCREENED,FAILED``. StudyError."""
    codes = [code.strip() for code in text.split(",")]
    if len(codes) != len(panels.OUTCOMES):
        raise StudyError(
            f"{text!r} are not three codes. Write those of {', '.join(panels.OUTCOMES)}, with "
            "commas between them."
        )
    table = {"preset": "prolific", **dict(zip(panels.OUTCOMES, codes, strict=True))}
    return {"entry": "panel", "panel": table}


def day(text: str) -> date:
    """A date as 2026-12-31. StudyError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StudyError(f"{text!r} is no date. Write year, month, day: 2026-12-31.") from None


def _value(field: str, value: Any, *, name: str, questions: int) -> Any:
    if field not in FORMS:
        raise StudyError(f"{name}: there is no field {field!r}.{_meant(field)}")
    wanted, form = FORMS[field]
    if field == "n_repeats" and isinstance(value, str):
        return _told(repeats, value, questions, name=name, field=field)
    if field == "withdraw_until" and isinstance(value, str):
        return _told(day, value, name=name, field=field)
    # A truth value is a whole number to Python, and a moment a date; here neither is.
    odd = isinstance(value, bool) if wanted is int else isinstance(value, datetime)
    if odd or not isinstance(value, wanted):
        raise StudyError(f"{name}: {field} = {_shown(value)} is not possible. Give {form}.")
    return value


def _told(read: Any, *values: Any, name: str, field: str) -> Any:
    try:
        return read(*values)
    except StudyError as error:
        raise StudyError(f"{name}: {field}: {error}") from error


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _meant(field: str) -> str:
    known = [each.name for each in fields(Protocol)]
    close = get_close_matches(field, known, n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Choose from: {', '.join(known)}."


def _is_year(text: str) -> bool:
    return len(text) == 4 and text.isascii() and text.isdecimal()
