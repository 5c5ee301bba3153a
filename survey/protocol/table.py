"""Writes the tables of docs/study-protocol.md from the models: python -m survey.protocol.table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from survey.protocol.fields import Protocol
from survey.protocol.flags import OWN_FLAGS, flag_form, flag_of
from survey.protocol.problems import limits

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "study-protocol.md"
PLACE = re.compile(r"(?<=<!-- options -->\n).*?(?=<!-- end of options -->)", re.S)


def options_table() -> str:
    """One row for each option of a study, in Markdown."""
    rows = ["| field | flag | values | default | what it decides |", "|---|---|---|---|---|"]
    for name, field in Protocol.model_fields.items():
        cells = (f"`{name}`", _flag(name, field), _values(field), _default(field.default))
        rows.append(f"| {' | '.join(cells)} | {field.description} |")
    return "\n".join(rows) + "\n"


def with_table(document: str) -> str:
    return PLACE.sub(lambda _: options_table(), document)


def _flag(name: str, field: FieldInfo) -> str:
    form = flag_form(field)
    if name not in OWN_FLAGS and form is None:
        return ""
    written = OWN_FLAGS.get(name) or " ".join([flag_of(name), (form or {}).get("metavar", "")])
    return f"`{written.strip()}`"


def _values(field: FieldInfo) -> str:
    least, most = limits(field)
    if least is not None:
        return f"{least} to {most}"
    form = flag_form(field)
    if form and "choices" in form:
        return ", ".join(f"`{value}`" for value in form["choices"])
    return "true, false" if field.annotation is bool else ""


def _default(value: Any) -> str:
    return "" if value in (None, "", [], {}) else f"`{str(value).lower()}`"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
