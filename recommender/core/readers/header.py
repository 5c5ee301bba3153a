"""The first lines of a table as text, and the separator that makes sense of its header."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recommender.core.errors import SourceError
from recommender.core.readers.archive import BOM, HEAD, SourceFile
from recommender.core.readers.columns import LineError, split_line
from recommender.core.readers.names import find_roles

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", "::": "two colons"}
EXPECTED = "Name a folder, a zip or a file with a table of ratings, one on each line."
LINES = 20


def split_header(
    line: str, needed: Iterable[str], given: Mapping[str, str] | None = None
) -> tuple[str, list[str]]:
    """The separator under which most needed columns are found, and the names that it gives."""
    split = {separator: split_names(line, separator) for separator in SEPARATORS}

    def quality(separator: str) -> tuple[int, int]:
        roles = find_roles(split[separator], needed, given)
        return sum(map(bool, roles.values())), len(split[separator])

    best = max(split, key=quality)
    return best, split[best]


def first_lines(file: SourceFile) -> list[str]:
    """The first line and up to 20 others that are not blank; SourceError if there is no header."""
    head = file.head().removeprefix(BOM)
    if not head.strip():
        raise SourceError("the file is empty", file=file.label, remedy=EXPECTED)
    is_cut = len(head) >= HEAD - len(BOM)
    raw = head.split(b"\n")
    if head[257:262] == b"ustar":
        raise SourceError("is a tar archive", file=file.label, remedy="Unpack it.")
    if len(head) > 3 and (not any(head[:40:2]) or not any(head[1:40:2])):
        problem = "seems to be UTF-16 without a byte order mark"
        raise SourceError(problem, file=file.label, line=1, remedy="Save it as UTF-8.")
    if b"\0" in raw[0] or (is_cut and len(raw) == 1):
        raise SourceError("is not a text file", file=file.label, remedy=EXPECTED)
    try:
        first = raw[0].decode("utf-8")
    except UnicodeDecodeError as error:
        problem = f"byte {error.start + 1} is not UTF-8"
        raise SourceError(problem, file=file.label, line=1, remedy="Save it as UTF-8.") from error
    odd = {
        "is blank": not first.strip(),
        "holds carriage returns, which end no line here": "\r" in first.rstrip("\r"),
        f"is {first[:10]!r}, which only Excel reads": first.lower().startswith("sep="),
    }
    for problem in (problem for problem, applies in odd.items() if applies):
        remedy = "Save the table as plain CSV, with its header first."
        raise SourceError(f"the first line {problem}", file=file.label, line=1, remedy=remedy)
    others = raw[1:-1] if is_cut else raw[1:]
    lines = [first, *(line.decode("utf-8", "replace") for line in others[:LINES])]
    return [lines[0].removesuffix("\r"), *(line for line in lines[1:] if line.strip())]


def split_names(line: str, separator: str) -> list[str]:
    """The fields of a line without spaces around; none if a quote is not closed."""
    try:
        return [part.strip() for part in split_line(line, separator)]
    except LineError:
        return []
