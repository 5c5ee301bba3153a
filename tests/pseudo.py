"""A pseudo-language: every text in brackets, written from right to left."""

import re
from pathlib import Path

from babel.messages.catalog import Catalog

from studysite.catalogues import compile_catalogue, strings

#: Django knows it as a language that is written from right to left.
CODE = "ar"
PLACEHOLDER = re.compile(r"(%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+>)")


def write(folder: Path) -> Path:
    """The catalogue of all strings of the sources, under ``folder``, as LOCALE_PATHS wants it."""
    catalogue = Catalog(locale=CODE)
    for message in strings():
        if message.id:
            texts = [message.id] if isinstance(message.id, str) else [message.id[1]] * 6
            said = [disguised(text) for text in texts]
            one = isinstance(message.id, str)
            catalogue.add(message.id, said[0] if one else said, context=message.context)
    compile_catalogue(catalogue, folder / CODE / "LC_MESSAGES" / "django.mo")
    return folder


def disguised(text: str) -> str:
    """⟦Țếхť⟧: as long as a long language; what Python fills in, and markup, stay as they are."""
    parts = PLACEHOLDER.split(text)
    said = (part if place % 2 else accented(part) for place, part in enumerate(parts))
    return f"⟦{''.join(said)}⟧"


def accented(text: str) -> str:
    return text.translate(str.maketrans("aeiouAEIOU", "áéíóúÁÉÍÓÚ"))
