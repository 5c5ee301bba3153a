"""Side information of a data set: tags, the tag genome, keywords and people, from their files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from recommender.core.errors import SourceError
from recommender.core.labels import collect_labels
from recommender.core.readers.archive import Archive, SourceFile, open_archive
from recommender.core.readers.columns import CONTROL, LineError
from recommender.core.readers.genome import read_genome
from recommender.core.readers.header import first_lines, split_names
from recommender.core.readers.label_sources import (
    REASONS,
    UNKNOWN,
    ItemPlaces,
    LabelSource,
    SideTable,
    open_side_table,
)
from recommender.core.readers.lines import Line
from recommender.core.readers.problems import Problems
from recommender.core.readers.quotes import LineJoiner
from recommender.core.readers.times import find_ticks, to_seconds

#: The usual name of each side file.
SIDE_FILES = {
    "tags": "tags.csv",
    "genome-scores": "genome-scores.csv",
    "genome-tags": "genome-tags.csv",
    "keywords": "keywords.csv",
    "people": "people.csv",
}
#: The files that belong to a source of MovieLens, by their names there.
OF_MOVIELENS = {
    "tags.csv": "tags",
    "tags.dat": "tags",
    "genome-scores.csv": "genome-scores",
    "genome-tags.csv": "genome-tags",
}
#: The column that holds the labels of each kind; only a tag may contain the bar that separates
#: several keywords or people.
LABEL_COLUMNS = {"tags": "tag", "keywords": "keywords", "people": "people"}
SEVERAL = "|"
LONGEST_LABEL = 100
LEFT_OUT = f"empty or longer than {LONGEST_LABEL} characters"


@contextmanager
def open_side_files(paths: Mapping[str, Path]) -> Iterator[dict[str, SourceFile]]:
    """Open the side files at ``paths``, by keys of SIDE_FILES: files, or folders or zips with them.

    The names of the tags of the genome are looked for next to its scores unless they are given.
    """
    paths = dict(paths)
    if "genome-scores" in paths and "genome-tags" not in paths:
        scores = paths["genome-scores"]
        is_file = scores.is_file() and scores.suffix.lower() != ".zip"
        paths["genome-tags"] = scores.with_name(SIDE_FILES["genome-tags"]) if is_file else scores
    with ExitStack() as stack:
        yield {
            role: _side_file(stack.enter_context(open_archive(path, ())), role)
            for role, path in paths.items()
        }


def side_files_of_movielens(files: Mapping[str, SourceFile]) -> dict[str, SourceFile]:
    """The side files among those in the folder of a source of MovieLens, by keys of SIDE_FILES."""
    found = {role: files[name] for name, role in OF_MOVIELENS.items() if name in files}
    if "genome-scores" not in found:
        found.pop("genome-tags", None)
    return found


def read_side_files(files: Mapping[str, SourceFile], places: ItemPlaces) -> dict[str, LabelSource]:
    """Read the labels of items, by their kind, from ``files`` by keys of SIDE_FILES.

    Statements about items that ``places`` lacks are left out and counted. SourceError names file,
    line and field of the first problems.
    """
    problems, found = Problems("the side information"), {}
    for kind in LABEL_COLUMNS:
        if kind in files:
            with problems.collecting():
                found[kind] = _read_labels(kind, files[kind], places)
    scores, tags = files.get("genome-scores"), files.get("genome-tags")
    if scores:
        with problems.collecting():
            if tags is None:
                missing = f"{SIDE_FILES['genome-tags']} is missing, which names its tags"
                raise SourceError(missing, file=scores.label, remedy="Add it, or give it.")
            found["genome"] = read_genome(scores, tags, places)
    elif tags:
        missing = "names the tags of a genome, but its scores are missing"
        raise SourceError(missing, file=tags.label, remedy="Give --genome-scores FILE too.")
    problems.raise_any()
    return found


def _side_file(archive: Archive, role: str) -> SourceFile:
    """The only file of the archive, or the one with the usual name."""
    if archive.only:
        return archive.only
    every = [(name, file) for files in archive.folders.values() for name, file in files.items()]
    found = [file for name, file in every if OF_MOVIELENS.get(name) == role]
    found = found or [file for name, file in every if name == SIDE_FILES[role]]
    found = found or ([file for _, file in every] if len(every) == 1 else [])
    if len(found) != 1:
        problem = f"contains {'several files' if found else 'no file'} {SIDE_FILES[role]}"
        raise SourceError(problem, file=archive.path, remedy=f"Name the file: --{role} FILE.")
    return found[0]


def _read_labels(kind: str, file: SourceFile, places: ItemPlaces) -> LabelSource:
    optional = ("timestamp",) if kind == "tags" else ()
    table = open_side_table(file, (LABEL_COLUMNS[kind],), optional=optional)
    left_out: Counter[str] = Counter()
    timed = bool(table.columns.get("timestamp"))
    statements = _statements(kind, table, places, left_out)
    labels = collect_labels(statements, timed=timed)
    return LabelSource(labels, file.sha256, left_out)


def _statements(
    kind: str, table: SideTable, places: ItemPlaces, left_out: Counter[str]
) -> Iterator[tuple[int, str, int]]:
    """Item position, label and time of each statement; SourceError at the end if any is wrong."""
    file, problems = table.file, Problems(table.file.label)
    labelled, timed = table.columns[LABEL_COLUMNS[kind]], table.columns.get("timestamp", [])
    ticks = _find_ticks(table, timed)
    lines = file.lines()
    if table.has_header:
        next(lines)
    for number, raw in LineJoiner(table.separator).join(lines):
        line = Line(file, number)
        texts, item, time = [], UNKNOWN, 0
        with problems.collecting():
            is_dat = len(table.separator) > 1
            fields = (
                line.text(raw).split(table.separator)
                if is_dat
                else line.split(raw, table.separator)
            )
            line.expect(len(table.names), fields)
            if timed:
                time = _seconds(line, table, fields[timed[0]].strip(), ticks)
            item = table.find_item(line, fields, places)
            texts = [fields[column] for column in labelled]
        if kind != "tags":
            texts = [part for text in texts for part in text.split(SEVERAL) if part.strip()]
        if item < 0:
            left_out[REASONS[item]] += len(texts)
            continue
        for text in texts:
            label = " ".join(CONTROL.sub(" ", text).split())
            if not 0 < len(label) <= LONGEST_LABEL:
                left_out[LEFT_OUT] += 1
                continue
            # People who tag spell one word in many ways.
            yield item, label.lower() if kind == "tags" else label, time
    problems.raise_any()


def _find_ticks(table: SideTable, timed: list[int]) -> int:
    lines = first_lines(table.file)[table.has_header :]
    rows = [
        row for line in lines if len(row := split_names(line, table.separator)) == len(table.names)
    ]
    return find_ticks([row[timed[0]] for row in rows] if timed else [])


def _seconds(line: Line, table: SideTable, text: str, ticks: int) -> int:
    try:
        return to_seconds(text, ticks)
    except LineError as error:
        raise line.error(table.names[table.columns["timestamp"][0]], *error.args) from None
