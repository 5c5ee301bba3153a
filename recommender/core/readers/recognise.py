"""Finds the file with the ratings of a source and recognises its format by its first lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers.archive import Archive, SourceFile
from recommender.core.readers.columns import (
    NUMBER,
    JsonLines,
    LineError,
    TableFormat,
    parse_object,
)
from recommender.core.readers.containers import WORKBOOK
from recommender.core.readers.header import (
    EXPECTED,
    SEPARATORS,
    first_lines,
    split_header,
    split_names,
)
from recommender.core.readers.movielens import CSV, DAT, HEADER, TABS
from recommender.core.readers.names import (
    COUNTS,
    NEEDED,
    ROLES,
    find_roles,
    simple_name,
    untyped,
)
from recommender.core.readers.side_information import SIDE_FILES
from recommender.core.readers.times import UNITS, find_ticks

RATINGS = ("ratings.csv", "ratings.dat", "u.data")
NOT_RATINGS = {"movies.csv", "links.csv", "tags.dat", *SIDE_FILES.values()}
TABLES = (".csv", ".tsv", ".txt", ".inter", ".jsonl", ".json", ".parquet", ".dat")
#: Scales that are tried in this order for tables other than MovieLens.
USUAL_SCALES = (Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1), Scale(0.5, 10, 0.5))
BY_NAME = "--columns user=NAME,item=NAME,rating=NAME"
BY_NUMBER = "--columns user=1,item=2,rating=3"


@dataclass(frozen=True)
class Recognised:
    """A format, and what was guessed and left out to find it, by the name of a report's line."""

    form: TableFormat
    notes: dict[str, str] = field(default_factory=dict)


def find_ratings_file(
    archive: Archive, given: Mapping[str, str]
) -> tuple[SourceFile, Mapping[str, SourceFile]]:
    """The file with the ratings, and the files in its folder; SourceError unless there is one."""
    if archive.only is not None:
        return archive.only, archive.folders[""]
    every = [
        (name, file, files) for files in archive.folders.values() for name, file in files.items()
    ]
    tables = [
        (file, files)
        for name, file, files in every
        if name.lower().endswith(TABLES) and name not in NOT_RATINGS
    ]
    found = [(file, files) for name, file, files in every if name in RATINGS] or [
        table for table in tables if _has_ratings(table[0], given)
    ]
    if not found and len(tables) == 1 and not tables[0][0].label.endswith(".txt"):
        return tables[0]  # so that recognising it names what is missing
    if not found:
        books = [name for name, *_ in every if name.lower().endswith((".xlsx", ".xls", ".ods"))]
        problem = f"contains no ratings but the workbook {books[0]}" if books else ""
        remedy = WORKBOOK if books else EXPECTED
        raise SourceError(problem or "contains no ratings", file=archive.path, remedy=remedy)
    if len(found) > 1:
        labels = ", ".join(file.label for file, _ in found[:5])
        problem = f"contains several files with ratings: {labels}"
        raise SourceError(problem, file=archive.path, remedy="Name the one to import.")
    return found[0]


def recognise_format(
    file: SourceFile, files: Mapping[str, SourceFile], given: Mapping[str, str]
) -> Recognised:
    """The format of a file of ratings; ``files`` are those in its folder.

    ``given`` maps roles to the names or numbers of their columns. SourceError if the separator,
    the header or the meaning of a column cannot be told for certain.
    """
    lines = first_lines(file)
    if lines[0].startswith("{"):
        return _json_lines(file, lines, given)
    if lines[0].startswith("["):
        problem = "is one JSON value, not JSON lines"
        raise SourceError(problem, file=file.label, line=1, remedy="Write one object on each line.")
    if not given and lines[0][:1].isdigit():
        if "::" in lines[0]:
            return Recognised(DAT)
        if lines[0].count("\t") == len(HEADER) - 1:
            return Recognised(TABS)
    separator, names = split_header(lines[0], NEEDED, given)
    if "movies.csv" in files and separator == "," and tuple(names) == HEADER and not given:
        return Recognised(CSV)
    roles = find_roles(names, ROLES, given)
    _check_roles(file, lines[0], names, roles, given)
    places = {role: found[0] for role, found in roles.items() if found}
    rows = [row for line in lines if len(row := split_names(line, separator)) == len(names)]
    by_number = all(role in given and given[role].isdecimal() for role in NEEDED)
    # Only numbers can describe a table whose first line is a rating already.
    first = rows[0][places["rating"]].replace(",", ".")
    has_header = not (by_number and (NUMBER.match(first) or not first))
    typed = any(untyped(name) != name.strip() for name in names)
    form = TableFormat(
        "recbole" if typed else "csv",
        separator,
        tuple(names if has_header else (f"column {n + 1}" for n in range(len(names)))),
        user=places["user"],
        item=places["item"],
        rating=places["rating"],
        timestamp=places.get("timestamp"),
        scales=USUAL_SCALES,
        has_header=has_header,
        ticks=_ticks(rows[has_header:], places.get("timestamp")),
    )
    return Recognised(form, _notes(form, form.names))


def _json_lines(file: SourceFile, lines: list[str], given: Mapping[str, str]) -> Recognised:
    try:
        names = list(parse_object(lines[0]))
    except LineError as error:
        problem, remedy = error.args
        raise SourceError(problem, file=file.label, line=1, remedy=remedy) from error
    roles = find_roles(names, ROLES, given)
    _check_roles(file, lines[0], names, roles, given)
    used = [role for role in ROLES if roles[role]]
    form = JsonLines(
        "json-lines",
        ",",
        tuple(names[roles[role][0]] for role in used),
        user=0,
        item=1,
        rating=2,
        timestamp=len(NEEDED) if len(used) > len(NEEDED) else None,
        scales=USUAL_SCALES,
    )
    rows = []
    for line in lines:
        try:
            rows.append(form.split(line))
        except LineError:  # reported with its line when the file is read
            continue
    form = replace(form, ticks=_ticks(rows, form.timestamp))
    return Recognised(form, _notes(form, names))


def _check_roles(
    file: SourceFile,
    line: str,
    names: list[str],
    roles: Mapping[str, list[int]],
    given: Mapping[str, str],
) -> None:
    """SourceError that names the cause if a column is missing, or cannot be told for certain."""

    def error(problem: str, remedy: str) -> SourceError:
        return SourceError(problem, file=file.label, line=1, field="header", remedy=remedy)

    missing = [role for role in NEEDED if not roles[role]]
    shown = ", ".join(name[:40] for name in names[:20])
    if unknown := [name for role, name in given.items() if name and not roles[role]]:
        raise error(f"there is no column {unknown[0]!r} among {shown}", "Correct --columns.")
    if len(missing) == len(NEEDED) and len(names) <= 1:
        problem = f"the separator of the columns was not recognised in {line[:60]!r}"
        raise error(problem, "Separate them by comma, semicolon, tab, pipe or two colons.")
    if len(missing) == len(NEEDED) and any(NUMBER.match(name) for name in names):
        remedy = f"Write a header such as user,item,rating, or number the columns: {BY_NUMBER}."
        raise error(f"there is no header, but {line[:60]!r}", remedy)
    if missing == ["rating"]:
        counts = [name for name in names if simple_name(name) in COUNTS]
        what = f"{counts[0]!r} counts what users did" if counts else "no column holds ratings"
        remedy = (
            "A study needs ratings: turn what users did into levels, such as 1 to 5. If a column "
            f"holds ratings under another name, give it: {BY_NAME}."
        )
        raise error(f"column 'rating' is missing among {shown}: {what}", remedy)
    if missing:
        problem = f"column {missing[0]!r} is missing among {shown}"
        raise error(problem, f"Give the names of the columns: {BY_NAME}.")
    for role, places in roles.items():
        if len(places) > 1:
            found = " and ".join(repr(names[place][:40]) for place in places)
            remedy = f"Give the right one by name or number: --columns {role}={places[0] + 1}."
            raise error(f"{found} could both be the {role}", remedy)
    used = [places[0] for places in roles.values() if places]
    if twice := [place for place in used if used.count(place) > 1]:
        problem = f"column {names[twice[0]]!r} has two meanings"
        raise error(problem, f"Give a column to each: {BY_NAME}.")


def _ticks(rows: list[list[str]], place: int | None) -> int:
    return find_ticks([] if place is None else [row[place] for row in rows])


def _notes(form: TableFormat, names: Sequence[str]) -> dict[str, str]:
    """``names`` are those of all columns."""
    notes = {} if form.separator == "," else {"separator": SEPARATORS[form.separator]}
    used = [form.names[place] for place in form.used]
    pairs = zip(ROLES, used, strict=False)
    notes["columns"] = ", ".join(f"{role} = {name}" for role, name in pairs)
    left_out = [name or "(no name)" for name in names if name not in used]
    if left_out:
        notes["left out"] = ", ".join(left_out)
    if form.ticks != 1:
        dates = "dates of ISO 8601, in UTC where they name no zone"
        notes["times"] = f"in {UNITS[form.ticks]}" if form.ticks else dates
    return notes


def _has_ratings(file: SourceFile, given: Mapping[str, str]) -> bool:
    try:
        line = first_lines(file)[0]
        names = (
            list(parse_object(line))
            if line.startswith("{")
            else split_header(line, NEEDED, given)[1]
        )
    except (SourceError, LineError):
        return False
    return all(find_roles(names, NEEDED, given).values())
