"""Ratings of the Netflix Prize are read fast and carefully alike; damage names file and line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from recommender.core.errors import SourceError
from recommender.core.readers import archive, netflix_tables
from recommender.core.readers.archive import open_archive
from recommender.core.readers.netflix import find_netflix
from recommender.core.readers.netflix_tables import read_netflix_table
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.netflix_files import COMBINED, FIRST, MOVIES, SECOND, SECONDS
from tests.recommender.core.readers.outcomes import refusal, triples


def table_of(path):
    with open_archive(path, ()) as opened:
        return read_netflix_table(list(find_netflix(opened).ratings.values()), path)


def rows(table):
    return list(
        zip(
            table.user_ids[table.users].tolist(),
            table.item_ids[table.items].tolist(),
            table.values.tolist(),
            table.timestamps.tolist(),
            strict=True,
        )
    )


def test_movies_users_stars_and_dates_are_read(tmp_path):
    found = rows(table_of(sources.folder(tmp_path / "netflix", COMBINED)))
    assert found[0] == (7, 1, 3, SECONDS["2005-09-06"])
    assert found[3] == (7, 2, 4, SECONDS["2004-02-29"])
    assert [row[1] for row in found] == [1, 1, 1, 2, 3, 3, 3, 3, 10]


@pytest.mark.parametrize("files", [COMBINED, MOVIES])
@pytest.mark.parametrize("block", [16, 40, archive.BLOCK])
@pytest.mark.parametrize("fast", [True, False])
def test_blocks_files_and_paths_make_no_difference(tmp_path, monkeypatch, files, block, fast):
    path = sources.folder(tmp_path / "netflix", files)
    wanted = rows(table_of(path))
    lines = [table_of(path).place_of(row) for row in range(len(wanted))]
    monkeypatch.setattr(archive, "BLOCK", block)
    if not fast:
        monkeypatch.setattr(netflix_tables, "read_fast", lambda *_: [])
    table = table_of(path)
    assert rows(table) == wanted
    assert [table.place_of(row) for row in range(len(wanted))] == lines
    for row, (user, *_) in enumerate(wanted):
        _, line, _, label = table.place_of(row).split(maxsplit=3)
        assert Path(label).read_text().splitlines()[int(line) - 1].startswith(f"{user},")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.removesuffix("\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("2:", "\n2:"),
        lambda text: text.replace(":\n", ": \n"),
    ],
)
def test_line_ends_blank_lines_and_marks_make_no_difference(tmp_path, change):
    plain = rows(table_of(sources.folder(tmp_path / "plain", {"mv_1.txt": FIRST})))
    changed = sources.folder(tmp_path / "changed", {"mv_1.txt": change(FIRST)})
    assert rows(table_of(changed)) == plain


def test_plain_lines_are_never_read_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setattr(netflix_tables.CarefulReader, "read", None)
    assert len(rows(table_of(sources.folder(tmp_path / "netflix", MOVIES)))) == 9


DAMAGE = [
    # changed text of the second file, line, field, part of the message
    (SECOND + "9,3\n", 6, None, "2 fields instead of 3"),
    (SECOND + "9,3,2005-01-01,x\n", 6, None, "4 fields instead of 3"),
    (SECOND + "9,6,2005-01-01\n", 6, "rating", "6 is not on the scale 1:5:1"),
    (SECOND + "9,good,2005-01-01\n", 6, "rating", "'good' is not a number"),
    (SECOND + "9,3,2005-02-30\n", 6, "date", "not a date of ISO 8601"),
    (SECOND + "9,3,20050230-0\n", 6, "date", "not a date of ISO 8601"),
    (SECOND + "9,3,1969-12-31\n", 6, "date", "before 1970"),
    (SECOND + "9,3,\n", 6, "date", "is empty"),
    (SECOND + "09,3,2005-01-01\n", 6, "userId", "leading zeros"),
    (SECOND + "-9,3,2005-01-01\n", 6, "userId", "leading zeros"),
    (SECOND + "x:\n", 6, None, "1 fields instead of 3"),
    (SECOND + "04:\n", 6, None, "1 fields instead of 3"),
    (SECOND[3:], 1, None, "begin without a movie"),
    (SECOND.encode() + b"9,3,\xff\n", 6, None, "is not UTF-8"),
    (SECOND + "9,3,2005\0\n", 6, None, "control character"),
    (SECOND + "3,4,2005-01-01\n", 6, "movieId", "already rated item 3 on line 2 of "),
    (SECOND + "1:\n7,4,2005-01-01\n", 7, "movieId", "already rated item 1 on line 2 of "),
    (gzip.compress(SECOND.encode(), mtime=0)[:-5], None, None, "Download the file again"),
]


@pytest.mark.parametrize(("text", "line", "field", "words"), DAMAGE)
def test_damage_is_refused_with_file_line_and_remedy(tmp_path, text, line, field, words):
    path = sources.folder(tmp_path, {**COMBINED, "combined_data_2.txt": text})
    error = refusal(path)
    assert words in str(error)
    assert str(error.file).endswith("combined_data_2.txt")
    assert (error.line, error.field) == (line, field)


def test_the_problems_of_several_files_are_told_at_once(tmp_path):
    path = sources.folder(tmp_path, {name: text + "9,9\n" for name, text in MOVIES.items()})
    error = refusal(path)
    assert error.count == 4
    assert [each.line for each in error.first] == [5, 3, 6, 3]


def test_files_without_ratings_are_refused(tmp_path):
    with pytest.raises(SourceError, match="contains no ratings"):
        table_of(sources.folder(tmp_path / "none", {"mv_1.txt": "1:\n", "mv_2.txt": "2:\n"}))


def test_repeated_pairs_and_values_to_leave_out_are_decided_as_elsewhere(tmp_path):
    files = {"mv_1.txt": FIRST + "1:\n7,5,2005-10-01\n8,0,2005-10-01\n"}
    source = read_source(sources.folder(tmp_path, files), keep="last", drop=["0"])
    assert triples(source.ratings)[1][:3] == (7, 1, 5)
    assert source.reading["dropped"] == "ratings of 0: 1"
    assert np.array_equal(source.ratings.user_ids, [3, 7, 12])
