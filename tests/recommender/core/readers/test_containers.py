"""Packed tables are opened, and what is no table is named as what it is."""

import gzip
import json
from pathlib import Path

import polars
import pytest

from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import refusal, triples

PLAIN = "user,item,rating\n1,2,4\n1,3,5\n2,2,1\n"
TRIPLES = [(1, 2, 4.0, 0), (1, 3, 5.0, 0), (2, 2, 1.0, 0)]


def table(where: Path, content: str | bytes, name: str = "table.csv") -> Path:
    return sources.folder(where, {name: content}) / name


def as_json(content: str) -> str:
    header, *rows = (line.split(",") for line in content.split())
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv.gz", gzip.compress(PLAIN.encode())),
        ("t.jsonl", as_json(PLAIN)),
        ("t.json.gz", gzip.compress(as_json(PLAIN).encode())),
        (
            "t.json",
            json.dumps([json.loads(line) for line in as_json(PLAIN).splitlines()], indent=1),
        ),
        ("t.csv", PLAIN.encode("utf-16")),
        ("t.tsv.gz", gzip.compress(PLAIN.replace(",", "\t").encode("utf-16"))),
    ],
    ids=[
        "csv.gz",
        "jsonl",
        "json.gz",
        "json array",
        "utf-16",
        "tsv.gz",
    ],  # the packed bytes hold the time
)
def test_d15_containers_are_opened(tmp_path, name, content):
    by_name = read_source(table(tmp_path, content, name)).ratings
    assert [(str(u), str(i), r, t) for u, i, r, t in triples(by_name)] == [
        (str(u), str(i), r, t) for u, i, r, t in TRIPLES
    ]
    assert read_source(tmp_path).ratings.n_ratings == 3


def test_d15_parquet_keeps_ids_and_dates(tmp_path):
    frame = polars.DataFrame(
        {
            "user_id": ["a", "b"],
            "isbn": ["0002", "7"],
            "rating": [4.5, 3.0],
            "date": polars.Series(["2020-01-01", "2020-01-02"]).str.to_date(),
            "tags": [["x"], []],
            "text": ["two\nlines", 'a "quote", a comma'],
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    source = read_source(tmp_path / "t.parquet")
    assert triples(source.ratings) == [
        ("a", "0002", 4.5, 1577836800),
        ("b", "7", 3.0, 1577923200),
    ]
    assert source.reading["left out"] == "tags, text"
    assert source.reading["times"].startswith("dates of ISO 8601")


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("r.xlsx", {"[Content_Types].xml": "<x/>"}, "is a workbook of Excel (.xlsx)"),
        ("r.ods", {"mimetype": "x", "content.xml": "<x/>"}, "is a workbook of LibreOffice (.ods)"),
        ("r.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9, "is a workbook of Excel (.xls)"),
    ],
)
def test_d15_a_workbook_is_named_as_what_it_is(tmp_path, name, write, words):
    path = tmp_path / name
    if isinstance(write, bytes):
        path.write_bytes(write)
    else:
        sources.zipped(path, write)
    assert f"{path}: {words}. Save its sheet as CSV" in str(refusal(path))
    assert f"contains no ratings but the workbook {name}" in str(refusal(tmp_path))


def test_a_packed_file_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path):
    path = table(
        tmp_path, gzip.compress(b"user,item,rating\n" + b"1,2,4\n" * 1_000_000), "t.csv.gz"
    )
    assert "unpacks to over 100 times its size" in str(refusal(path))


def test_numbers_of_a_json_array_keep_their_letters(tmp_path):
    content = '\ufeff[{"user": 1, "item": 1.0, "rating": 4}, {"user": 2, "item": 10, "rating": 5}]'
    ratings = read_source(table(tmp_path, content, "t.json")).ratings
    assert ratings.item_ids.tolist() == ["1.0", "10"]


@pytest.mark.parametrize(
    "content", [b'[{"user": 1', b"PAR1PAR1", b"BZh9x", b"\xfd7zXZ\0", b"\x1f\x8b\x08\0"]
)
def test_a_damaged_container_is_refused(tmp_path, content):
    assert "cannot be read" in str(refusal(table(tmp_path, content)))


def test_parquet_is_read_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("recommender.core.readers.containers.ROWS", 7)
    rows = {"user": range(30), "item": [1] * 30, "rating": [4] * 30}
    polars.DataFrame(rows).write_parquet(tmp_path / "t.parquet")
    assert read_source(tmp_path / "t.parquet").ratings.user_ids.tolist() == list(range(30))
