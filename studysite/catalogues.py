"""The translations under ``locale/``: found in the sources, compiled and checked without gettext.

``python -m studysite.catalogues`` does one of three things. ``extract`` brings every language's
.po file up to date with the sources, ``compile`` makes the .mo files that Django reads (``make``
does it by itself), ``check`` says what is not translated or does not fit.
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
#: Folder of each language beside English, in which the sources are written.
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

#: What ``format`` or a script fills in, and markup; Babel looks after the rest.
PLACES = re.compile(r"\{\w*\}|</?\w+>")
#: A call in what Django makes of a template for xgettext; the rest of that is no Python.
CALL = re.compile(
    r"""(?:(?:n|p|np)?gettext|\b_)\((?:[^()'"]|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")*\)"""
)


def main(arguments: list[str]) -> int:
    steps = {"extract": extract, "compile": compile_all, "check": check}
    if len(arguments) != 1 or arguments[0] not in steps:
        sys.stderr.write(f"usage: python -m studysite.catalogues {'|'.join(steps)}\n")
        return 2
    problems = list(steps[arguments[0]]())
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return int(bool(problems))


def extract() -> Iterator[str]:
    """Bring the .po files up to date; what the sources do not say any more is dropped."""
    found = strings()
    for language in LANGUAGES:
        catalogue = read(language)
        catalogue.update(found, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        write(language, catalogue)
    return iter(())


def compile_all() -> Iterator[str]:
    """A .mo file beside each .po file."""
    for language in LANGUAGES:
        compile_one(read(language), place(language).with_suffix(".mo"))
    return iter(())


def compile_one(catalogue: Catalog, target: Path) -> None:
    """Replace ``target`` as a whole: a server that starts meanwhile reads the old or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_mo(written, catalogue)
    # Under a name of its own: several may compile at once, as the processes of a test run do.
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    beside.write_bytes(written.getvalue())
    beside.replace(target)


def check() -> Iterator[str]:
    """What is wrong with the .po files, in words; nothing if all is well."""
    found = strings()
    wanted = {key(message): message for message in found if message.id}
    for language in LANGUAGES:
        known = {key(message): message for message in read(language) if message.id}
        for missing in wanted.keys() - known.keys():
            yield f"{language}: {missing!r} is not in the catalogue. Run: extract"
        for extra in known.keys() - wanted.keys():
            yield f"{language}: {extra!r} is not in the sources any more. Run: extract"
        for name in wanted.keys() & known.keys():
            yield from (f"{language}: {name!r} {problem}" for problem in faults(known[name]))


def faults(message: Message) -> Iterator[str]:
    texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    if not all(texts):
        yield "is not translated."
        return
    if message.fuzzy:
        yield "is marked as fuzzy."
    for problem in message.check():
        yield f"does not fit: {problem}"
    english = [message.id] if isinstance(message.id, str) else message.id
    # The last form of a plural is that of many, which bears the number.
    if set(PLACES.findall(english[-1])) != set(PLACES.findall(texts[-1] or "")):
        yield "does not fit: it has other {fields} or <tags> than the English words."


def strings() -> Catalog:
    """Every string of the sources that asks to be translated, in the order of the files."""
    catalogue = Catalog()
    for path in sources():
        for line, text, comments, context in read_strings(
            "python", BytesIO(as_python(path)), keywords=KEYWORDS, comment_tags=("Translators:",)
        ):
            del line  # it would change with every edit above
            where = [(str(path.relative_to(ROOT)), 0)]
            refuse_second_plural(catalogue, text, context)
            catalogue.add(text, None, where, auto_comments=comments, context=context)
    return catalogue


def refuse_second_plural(
    catalogue: Catalog, text: str | tuple[str, ...], context: str | None
) -> None:
    """A catalogue holds one plural for a singular; the other one's placeholders would not fit."""
    if isinstance(text, str):
        return
    before = catalogue.get(text[0], context)
    if before is not None and before.pluralizable and tuple(before.id) != tuple(text):
        raise ValueError(f"{text[0]!r} has two plurals. Give one of them a context.")


def sources() -> Iterable[Path]:
    return sorted(path for pattern in SOURCES for path in ROOT.glob(pattern))


def as_python(path: Path) -> bytes:
    """A module as it is; of a template only the calls that its tags stand for."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # Only a template needs Django, and compiling must not wait for it.
        from django.utils.translation.template import templatize

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = "\n".join(CALL.findall(templatize(text, origin=str(path))))
    return text.encode()


def key(message: Message) -> tuple[str | None, str]:
    """A catalogue knows a plural by its singular."""
    text = message.id if isinstance(message.id, str) else message.id[0]
    return message.context, text


def place(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    path = place(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(language: str, catalogue: Catalog) -> None:
    """In a form that depends on the strings alone, so that a change shows as one."""
    path = place(language)
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
