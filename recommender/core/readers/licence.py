"""Finds the section on licence terms in the README of a source."""

from __future__ import annotations

import re
from collections.abc import Mapping

from recommender.core.readers.archive import SourceFile

FILES = ("README.txt", "README", "README.md", "README.html", "LICENSE", "LICENSE.txt", "LICENCE")
LONGEST = 1200
HEADING = re.compile(r"^(?:#+ *(?P<hash>\S.*)|(?P<line>\S.*)\n[=-]{3,}) *$", re.MULTILINE)
#: Separates paragraphs and the items of a list.
PART = re.compile(r"\n\s*\n|\n(?=\s*[*-] )")
TERMS = re.compile(r"licen[cs]e|may (?:not )?\w+|must |permission|guarantee", re.IGNORECASE)


def licence_note(files: Mapping[str, SourceFile]) -> str:
    """``FILE: text`` of the section whose heading mentions a licence, or ""."""
    for name in FILES:
        if name in files:
            text = _text(files[name].head())
            section = _section(text) if name.startswith("README") else text
            if section:
                return f"{name}: {_shortened(section)}"
    return ""


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", " ", text)


def _section(text: str) -> str:
    """The paragraphs about terms in the first section whose heading mentions a licence."""
    headings = list(HEADING.finditer(text))
    for place, heading in enumerate(headings):
        if not re.search(r"licen[cs]e", heading["hash"] or heading["line"], re.IGNORECASE):
            continue
        end = headings[place + 1].start() if place + 1 < len(headings) else len(text)
        parts = PART.split(text[heading.end() : end])
        return "\n".join(" ".join(part.split()) for part in parts if TERMS.search(part))
    return ""


def _shortened(text: str) -> str:
    text = text.strip()
    if len(text) <= LONGEST:
        return text
    cut = max(text.rfind(mark, 0, LONGEST) for mark in (". ", ".\n"))
    return text[: cut + 1 if cut > 0 else LONGEST] + " […]"
