"""Writes the table of docs/study-protocol.md from the models: python -m survey.protocol.table."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic.fields import FieldInfo

from recommender.options import describe, flag_form, limits
from survey.protocol.fields import Protocol
from survey.protocol.flags import OWN_FLAGS, flag_of

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "study-protocol.md"
PLACE = re.compile(r"(?<=<!-- options -->\n).*?(?=<!-- end of options -->)", re.S)


def options_table() -> str:
    """One row for each option of a study, in Markdown."""
    rows = ["| field | flag | values | default | what it decides |", "|---|---|---|---|---|"]
    for name, field in Protocol.model_fields.items():
        form = flag_form(field)
        flag = OWN_FLAGS.get(name) or f"{flag_of(name)} {form.get('metavar', '')}".strip()
        default = "" if field.default in (None, "", [], {}) else f"`{str(field.default).lower()}`"
        cells = (f"`{name}`", f"`{flag}`" if form or name in OWN_FLAGS else "", _values(field))
        rows.append(f"| {' | '.join(cells)} | {default} | {describe(field)} |")
    return "\n".join(rows) + "\n"


def with_table(document: str) -> str:
    return PLACE.sub(lambda _: options_table(), document)


def _values(field: FieldInfo) -> str:
    least, most = limits(field)
    choices = flag_form(field).get("choices", [])
    return f"{least} to {most}" if least is not None else ", ".join(f"`{each}`" for each in choices)


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
