"""Extracts, compiles and checks the translations in ``locale/``, without GNU gettext.

``python -m studysite.catalogues extract`` updates the .po file of every language from the sources,
``compile`` writes the .mo files that Django reads, ``check`` prints what is untranslated or wrong.
"""

from __future__ import annotations

import re
import sys
import uuid
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract as read_strings
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALE = ROOT / "locale"
#: The folder of each language; the sources are in English.
LANGUAGES = ("de", "es", "zh_Hans")
SOURCES = ("survey/**/*.py", "studysite/**/*.py", "templates/**/*.html")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

#: Fields of ``format`` and of scripts, and markup; Babel checks the other placeholders.
PLACES = re.compile(r"\{\w*\}|</?\w+>")
#: A call in the text that Django makes of a template for xgettext; the rest is not Python.
CALL = re.compile(
    r"""(?:(?:n|p|np)?gettext|\b_)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)"""
)


def main(arguments: list[str]) -> int:
    steps = {"extract": update_catalogues, "compile": compile_catalogues, "check": find_problems}
    if len(arguments) != 1 or arguments[0] not in steps:
        sys.stderr.write(f"usage: python -m studysite.catalogues {'|'.join(steps)}\n")
        return 2
    problems = list(steps[arguments[0]]())
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return int(bool(problems))


def update_catalogues() -> Iterator[str]:
    """Update the .po files, and drop strings that are no longer in the sources."""
    found = strings()
    for language in LANGUAGES:
        catalogue = read_catalogue(language)
        catalogue.update(found, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        write_catalogue(language, catalogue)
    return iter(())


def compile_catalogues() -> Iterator[str]:
    """Write a .mo file next to each .po file."""
    for language in LANGUAGES:
        compile_catalogue(read_catalogue(language), po_path(language).with_suffix(".mo"))
    return iter(())


def compile_catalogue(catalogue: Catalog, target: Path) -> None:
    """Replace ``target`` atomically: a server that starts meanwhile reads the old or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_mo(written, catalogue)
    # A unique name, because several processes may compile at once, as in a test run.
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    beside.write_bytes(written.getvalue())
    beside.replace(target)


def find_problems() -> Iterator[str]:
    """Every problem of the .po files, in words."""
    found = strings()
    wanted = {key(message): message for message in found if message.id}
    for language in LANGUAGES:
        known = {key(message): message for message in read_catalogue(language) if message.id}
        for missing in wanted.keys() - known.keys():
            yield f"{language}: {missing!r} is not in the catalogue. Run: extract"
        for extra in known.keys() - wanted.keys():
            yield f"{language}: {extra!r} is no longer in the sources. Run: extract"
        for name in wanted.keys() & known.keys():
            yield from (f"{language}: {name!r} {problem}" for problem in problems_of(known[name]))


def problems_of(message: Message) -> Iterator[str]:
    texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    if not all(texts):
        yield "is not translated."
        return
    if message.fuzzy:
        yield "is marked fuzzy."
    for problem in message.check():
        yield f"does not fit: {problem}"
    english = [message.id] if isinstance(message.id, str) else message.id
    # Only the last form of a plural must have the number.
    if set(PLACES.findall(english[-1])) != set(PLACES.findall(texts[-1] or "")):
        yield "does not fit: its {fields} or <tags> differ from the English text."


def strings() -> Catalog:
    """Every string in the sources that is marked for translation, in the order of the files."""
    catalogue = Catalog()
    for path in sources():
        for line, text, comments, context in read_strings(
            "python", BytesIO(as_python(path)), keywords=KEYWORDS, comment_tags=("Translators:",)
        ):
            del line  # line numbers would change with every edit
            where = [(str(path.relative_to(ROOT)), 0)]
            refuse_second_plural(catalogue, text, context)
            catalogue.add(text, None, where, auto_comments=comments, context=context)
    return catalogue


def refuse_second_plural(
    catalogue: Catalog, text: str | tuple[str, ...], context: str | None
) -> None:
    """A catalogue has one plural for each singular, and placeholders of another would not fit."""
    if isinstance(text, str):
        return
    before = catalogue.get(text[0], context)
    if before is not None and before.pluralizable and tuple(before.id) != tuple(text):
        raise ValueError(f"{text[0]!r} has two plurals. Give one of them a context.")


def sources() -> Iterable[Path]:
    return sorted(path for pattern in SOURCES for path in ROOT.glob(pattern))


def as_python(path: Path) -> bytes:
    """A module unchanged; of a template, the calls that its tags stand for."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # Imported here, because compiling does without Django and starts faster.
        from django.utils.translation.template import templatize

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = "\n".join(CALL.findall(templatize(text, origin=str(path))))
    return text.encode()


def key(message: Message) -> tuple[str | None, str]:
    """A catalogue finds a plural by its singular."""
    text = message.id if isinstance(message.id, str) else message.id[0]
    return message.context, text


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read_catalogue(language: str) -> Catalog:
    path = po_path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write_catalogue(language: str, catalogue: Catalog) -> None:
    """Write a .po file that depends only on the strings, so that diffs are small."""
    path = po_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_po(written, catalogue, width=100, include_lineno=False, omit_header=True)
    header = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {language}\\n"\n"Plural-Forms: {catalogue.plural_forms}\\n"\n\n'
    )
    path.write_text(header + written.getvalue().decode(), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["compile"]:
        import django
        from django.conf import settings

        settings.configure(USE_I18N=True)
        django.setup()
    sys.exit(main(sys.argv[1:]))
