"""Tables are read as they were written, on both paths; damage is an error, never a crash."""

import csv
import re
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommender.core.ratings import Scale
from recommender.core.readers import tables
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.damage import mutations, scraps
from tests.recommender.core.readers.outcomes import (
    assert_paths_agree,
    outcome,
    reading,
    refusal,
    triples,
)

HALF = Scale(0.5, 5, 0.5)
LATEST = 253_402_300_799
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?"
WORD = re.compile(r"[^\x00-\x1f\x7f-\x9f\ufeff]{1,100}")
HEADER = "user,item,rating,timestamp\n"

number_ids = st.integers(0, 2**63 - 1)
letters = st.characters(
    exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cn"], exclude_characters="\ufeff"
)
text_ids = st.text(letters, min_size=1, max_size=12).filter(
    lambda text: not re.fullmatch(r"[+-]?\d+", text)
)


@st.composite
def rows(draw):
    """Rows (user, item, rating, seconds) without a repeated pair."""
    users, items = (draw(st.sampled_from([number_ids, text_ids])) for _ in range(2))
    ratings = st.integers(1, 10).map(lambda level: level / 2)
    row = st.tuples(users, items, ratings, st.integers(0, LATEST))
    return draw(st.lists(row, min_size=1, max_size=30, unique_by=lambda row: row[:2]))


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as where:
        yield Path(where)


@settings(max_examples=150, deadline=None)
@given(
    rows(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
    st.booleans(),
)
def test_any_table_is_read_as_it_was_written(place, rows, quoting, end, encoding, fast):
    path = place / "table.csv"
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, quoting=quoting, lineterminator=end)
        writer.writerows([["user", "item", "rating", "timestamp"], *rows])
    with reading(fast=fast):
        found = triples(read_source(path, scale=HALF).ratings)
    assert sorted(found) == sorted(rows)


def meant(raw: bytes) -> list[tuple]:
    """A slow, independent reading of a plain CSV; ValueError if it is not sound."""
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if any(re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\ufeff]", line) for line in lines):
        raise ValueError("a control character")
    records = [next(csv.reader([line], strict=True)) for line in lines if line.strip()]
    rows = []
    for fields in records[1:]:
        user, item, rating, seconds = (field.strip() for field in fields)
        if not (WORD.fullmatch(user) and WORD.fullmatch(item)):
            raise ValueError("an id is missing")
        rating = rating.replace(",", ".")
        if not re.fullmatch(NUMBER, rating, re.I | re.A):
            raise ValueError("no rating")
        if float(rating) * 2 not in range(1, 11):
            raise ValueError("off the scale")
        if not re.fullmatch(NUMBER, seconds, re.I | re.A) or not 0 <= float(seconds) < LATEST + 1:
            raise ValueError("no time")
        rows.append((user, item, float(rating), int(Decimal(seconds))))
    for column in (0, 1):
        ids = [row[column] for row in rows]
        if all(re.fullmatch(r"0|[1-9]\d*", text, re.A) and int(text) < 2**63 for text in ids):
            rows = [(*row[:column], int(row[column]), *row[column + 1 :]) for row in rows]
    if len({row[:2] for row in rows}) != len(rows) or not rows:
        raise ValueError("a pair twice, or nothing")
    return rows


TABLE = HEADER.encode() + (
    b"1,10,4.0,964982703\n1,20,0.5,964981247\n"
    b'2,10,5.0,964982224\r\n"7","30",3.5,964983815\n12,20,2,1\n'
)
PLAIN_TABLE = HEADER.encode() + b"1,10,4.0,964982703\n1,20,0.5,964981247\n2,10,5,1\n7,30,3.5,2\n"


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([TABLE, PLAIN_TABLE]).flatmap(lambda raw: mutations(raw, len(HEADER))))
@example(TABLE.replace(b"1,10,4.0", b'"1"2,10,4.0'))
@example(TABLE.replace(b"1,10,4.0", b"1_0,10,4.0"))
@example(TABLE.replace(b"1,10,4.0,964982703", b"1,10,4.0,964982703.0"))
@example(TABLE.replace(b"1,10,4.0", b"1,10,1,4.0").replace(b",20,0.5", b",0.5"))
@example(HEADER.encode() + b"\xef\xbb\xbf1,2,4,5\n")
def test_a_mutated_table_is_read_or_refused_alike_on_both_paths(place, raw):
    path = place / "mutated.csv"
    path.write_bytes(raw)
    found = assert_paths_agree(path, HALF)
    if isinstance(found, str):
        assert found.startswith(str(path))
    else:
        assert sorted(triples(read_source(path, scale=HALF).ratings)) == sorted(meant(raw))


FILES = {
    "movielens": (sources.MOVIELENS, "ratings.csv"),
    "movies": (sources.MOVIELENS, "movies.csv"),
    "links": (sources.MOVIELENS, "links.csv"),
    "readme": (sources.MOVIELENS, "README.txt"),
    "dat": (sources.DAT, "ratings.dat"),
    "tabs": (sources.HUNDRED, "u.data"),
    "items": (sources.HUNDRED, "u.item"),
    "fold": (sources.HUNDRED, "u1.test"),
}


@settings(max_examples=40, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("files", "name"), FILES.values(), ids=FILES)
def test_damage_to_any_file_of_any_format_is_a_source_error_or_nothing(place, files, name, data):
    where = sources.folder(place / name, files)
    original = files[name].encode()
    cut = data.draw(st.integers(0, len(original)))
    scrap = data.draw(st.binary(max_size=4) | scraps)
    (where / name).write_bytes(original[:cut] + scrap + original[cut + len(scrap) :])
    found = assert_paths_agree(where)
    assert str(where) in found if isinstance(found, str) else found


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=0, max_size=6), st.integers(0, 40))
def test_damage_to_a_zip_is_a_source_error_or_nothing(place, at, scrap, removed):
    whole = sources.zipped(place / "whole.zip", sources.MOVIELENS).read_bytes()
    at %= len(whole)
    path = place / "broken.zip"
    path.write_bytes(whole[:at] + scrap + whole[at + removed :])
    found = outcome(path)
    assert str(path) in found if isinstance(found, str) else found == outcome(place / "whole.zip")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_a_source_error(place, raw):
    path = place / "noise"
    path.write_bytes(raw)
    refusal(path)


@pytest.mark.parametrize("files", [sources.MOVIELENS, sources.DAT, sources.HUNDRED])
@pytest.mark.parametrize("made", [sources.folder, sources.zipped])
def test_every_format_and_container_reads_the_same_on_both_paths(tmp_path, made, files):
    assert not isinstance(assert_paths_agree(made(tmp_path / "source", files)), str)


def test_one_unusual_line_sends_only_its_block_to_the_careful_path(tmp_path, monkeypatch):
    lines = [f"{user},{item},4,100" for user in range(50) for item in range(4)]
    lines[100] = f'"{lines[100]}'.replace(",", '",', 1)
    path, refused = sources.plain(tmp_path, HEADER + "\n".join(lines)), []
    fast = tables.read_fast

    def counted(*arguments):
        columns = fast(*arguments)
        refused.extend([arguments] * (not columns))
        return columns

    monkeypatch.setattr(tables, "read_fast", counted)
    with reading(block=200):
        assert read_source(path).ratings.n_ratings == 200
    assert len(refused) == 1


def test_a_small_file_is_read_without_the_fast_path(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "read_fast", None)
    assert read_source(sources.plain(tmp_path)).ratings.n_ratings == 3


def test_a_text_id_after_many_numbers_makes_the_whole_column_text(tmp_path):
    lines = "".join(f"{user},2,4\n" for user in range(1, 30))
    with reading(block=32):
        path = sources.plain(tmp_path, f"user,item,rating\n{lines}ada,2,5\n")
        ratings = read_source(path).ratings
    assert ratings.user_ids.tolist() == sorted([*map(str, range(1, 30)), "ada"])
    assert ratings.item_ids.tolist() == [2]


@pytest.mark.parametrize("fast", [False, True])
def test_progress_never_goes_back_and_ends_with_all_bytes(tmp_path, fast):
    path, seen = sources.plain(tmp_path, PLAIN_TABLE), []
    with reading(block=24, fast=fast):
        read_source(path, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
