"""The tag genome of MovieLens: how relevant each tag is to each movie, as two tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from recommender.core.labels import ItemLabels
from recommender.core.readers.archive import SourceFile, numbered_lines, read_ahead
from recommender.core.readers.columns import (
    LARGEST_ID,
    LONGEST_ID,
    NUMBER,
    GrowingArray,
    TableFormat,
    is_canonical,
    is_id,
)
from recommender.core.readers.fast_path import read_fast
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


def read_genome(scores: SourceFile, tags: SourceFile, places: ItemPlaces) -> LabelSource:
    """Read genome-scores (item, tagId, relevance from 0 to 1) and genome-tags (tagId, tag).

    A relevance of 0 says nothing and is left out. SourceError names the lines that are wrong.
    """
    names = _read_names(tags)
    table = open_side_table(scores, ("tagid", "relevance"))
    reader = _ScoreReader(table, list(names), places)
    blocks = scores.blocks()
    with closing(read_ahead(blocks)) as ahead:
        for number, block in ahead:
            first, content = number, block
            if number == 1:
                first, content = 2, block.partition(b"\n")[2]
            reader.read(content, first)
    reader.problems.raise_any()
    digests = f"{scores.sha256} {tags.sha256}".encode()
    labels = ItemLabels(
        names=np.array(list(names.values()), np.str_),
        items=reader.items.array,
        labels=reader.labels.array,
        weights=reader.weights.array,
    )
    return LabelSource(labels, sha256(digests).hexdigest(), reader.left_out)


class _ScoreReader:
    """Collects the scores of known items, block by block."""

    def __init__(self, table: SideTable, tag_ids: list[str], places: ItemPlaces) -> None:
        self.table, self.places = table, places
        self.problems = Problems(table.file.label)
        self.left_out: Counter[str] = Counter()
        expected = table.file.size // 6 + 1  # three fields and their ends take six bytes
        self.items, self.labels = GrowingArray(np.int32, expected), GrowingArray(np.int32, expected)
        self.weights = GrowingArray(np.float32, expected)
        self._tags = {tag_id: place for place, tag_id in enumerate(tag_ids)}
        self._tag_numbers, self._item_numbers = _Numbers(self._tags), _Numbers(places[table.ids])
        self._form = TableFormat(
            "genome",
            table.separator,
            tuple(table.names),
            user=table.columns["tagid"][0],
            item=table.columns[table.ids][0],
            rating=table.columns["relevance"][0],
            timestamp=None,
            scales=(),
        )

    def read(self, block: bytes, first_line: int) -> None:
        for part in self._read_fast(block) or [self._read_carefully(block, first_line)]:
            for place, reason in REASONS.items():
                self.left_out[reason] += int(np.count_nonzero(part.items == place))
            kept = (part.items >= 0) & (part.relevances > 0)
            self.items.add(part.items[kept])
            self.labels.add(part.tags[kept])
            self.weights.add(part.relevances[kept].astype(np.float32))

    def _read_fast(self, block: bytes) -> list[_Scores]:
        """The scores of ``block`` in parts; none if a line has to be read carefully."""
        if self.table.ids != "item":  # ids of other sites are spelled in several ways
            return []
        parts = [
            _Scores(
                self._item_numbers.places(np.asarray(part.items)),
                self._tag_numbers.places(np.asarray(part.users)),
                part.ratings,
            )
            for part in read_fast(block, self._form)
        ]
        sound = all(part.tags.min(initial=0) >= 0 and _is_share(part.relevances) for part in parts)
        return parts if sound else []

    def _read_carefully(self, block: bytes, first_line: int) -> _Scores:
        rows = []
        for number, raw in numbered_lines(block, first_line):
            line = Line(self.table.file, number)
            with self.problems.collecting():
                fields = line.split(raw, self.table.separator)
                line.expect(len(self.table.names), fields)
                item = self.table.find_item(line, fields, self.places)
                tag_id, text = (
                    fields[self.table.columns[role][0]].strip() for role in ("tagid", "relevance")
                )
                if tag_id not in self._tags:
                    problem = f"{tag_id[:40]!r} is not among the tags of the genome"
                    raise line.error("tagId", problem, "Correct it, or add the tag.")
                if not NUMBER.match(text) or not 0 <= float(text) <= 1:
                    problem = f"{text[:40]!r} is not a number from 0 to 1"
                    raise line.error("relevance", problem, "Correct it.")
                rows.append((item, self._tags[tag_id], float(text)))
        items, tags, relevances = zip(*rows, strict=True) if rows else ((), (), ())
        return _Scores(
            np.array(items, np.int32), np.array(tags, np.int32), np.array(relevances, np.float64)
        )


@dataclass(frozen=True, eq=False)
class _Scores:
    """Scores (n): positions of items, UNRATED or UNKNOWN; positions of tags; relevances."""

    items: NDArray[np.int32]
    tags: NDArray[np.int32]
    relevances: NDArray[np.float64]


class _Numbers:
    """Finds the places of ids that are whole numbers."""

    def __init__(self, places: Mapping[str, int]) -> None:
        known = sorted((int(key), place) for key, place in places.items() if is_canonical(key))
        table = np.array([*known, (LARGEST_ID, UNKNOWN)], np.int64)
        self._keys, self._places = table[:, 0], table[:, 1].astype(np.int32)

    def places(self, numbers: NDArray[np.int64]) -> NDArray[np.int32]:
        """The place of each number; UNKNOWN if it has none."""
        found = np.searchsorted(self._keys, numbers)
        return np.where(self._keys[found] == numbers, self._places[found], np.int32(UNKNOWN))


def _is_share(values: NDArray[np.float64]) -> bool:
    return bool(values.min(initial=0) >= 0 and values.max(initial=0) <= 1)


def _read_names(file: SourceFile) -> dict[str, str]:
    """The tag of each id, in the order of the file."""
    table, problems = open_side_table(file, ("tagid", "tag"), has_items=False), Problems(file.label)
    names: dict[str, str] = {}
    lines = file.lines()
    next(lines)
    for number, raw in lines:
        line = Line(file, number)
        with problems.collecting():
            fields = line.split(raw, table.separator)
            line.expect(len(table.names), fields)
            tag_id, tag = (fields[table.columns[role][0]].strip() for role in ("tagid", "tag"))
            for name, text in (("tagId", tag_id), ("tag", tag)):
                if not is_id(text):
                    problem = f"{text[:40]!r} does not have 1 to {LONGEST_ID} printable characters"
                    raise line.error(name, problem, "Correct it.")
            if tag_id in names:
                problem = f"{tag_id} is already on an earlier line"
                raise line.error("tagId", problem, "Keep one of the two lines.")
            names[tag_id] = tag
    problems.raise_any()
    return names
