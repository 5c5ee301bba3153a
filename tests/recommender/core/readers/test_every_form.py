"""One table in every form that people write it in is read as the same ratings."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.core.ratings import Scale
from recommender.core.readers.source import read_source
from tests.recommender.core.readers.outcomes import reading, triples

HALF = Scale(0.5, 5, 0.5)
HEADERS = {
    "user": ["user", "userId", "User-ID", "reviewerID", "user_id:token"],
    "item": ["item", "movieId", "ISBN", "book_id", "item_id:token"],
    "rating": ["rating", "Score", "Book-Rating", "overall", "rating:float"],
    "timestamp": ["timestamp", "Time", "unixReviewTime", "date", "timestamp:float"],
    "extra": ["verified", "", "helpful_vote", "3", "comment"],
}
TIMES = {
    "seconds": str,
    "decimal": "{}.0".format,
    "milliseconds": "{}000".format,
    "iso": lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat(),
}
PACK = {
    "": lambda raw: raw,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
ids = st.one_of(
    st.integers(0, 2**63 - 1).map(str),
    st.sampled_from(["0000293003", "007", "7", "1.0", "080442957X", "zoé", "x,y", "a;b", "+5"]),
)


@st.composite
def tables(draw):
    """Rows of text (user, item), half stars, seconds; without a repeated pair."""
    row = st.tuples(ids, ids, st.integers(1, 10), st.integers(300_000_000, 2_000_000_000))
    return draw(st.lists(row, min_size=1, max_size=20, unique_by=lambda row: row[:2]))


def written(level, comma):
    text = str(level / 2)
    return text.replace(".", ",") if comma else text


def as_text(records, separator, quoting):
    """Lines of fields; a field that holds the separator is quoted."""
    if separator == "::":
        return "".join("::".join(map(str, record)) + "\n" for record in records)
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(records)
    return stream.getvalue()


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as where:
        yield Path(where)


def assert_read(path, rows, **options):
    expected = sorted((user, item, level / 2, time) for user, item, level, time in rows)
    found = triples(read_source(path, scale=HALF, **options).ratings)
    assert sorted((str(user), str(item), *rest) for user, item, *rest in found) == expected


@settings(max_examples=300, deadline=None)
@given(tables(), st.data())
def test_a_table_is_the_same_in_every_form(place, rows, data):
    draw = data.draw
    order = draw(st.permutations(list(HEADERS)))
    names = {role: draw(st.sampled_from(known), label=role) for role, known in HEADERS.items()}
    time = draw(st.sampled_from(list(TIMES)), label="times")
    comma = draw(st.booleans(), label="decimal comma")
    fields = [
        {
            "user": u,
            "item": i,
            "rating": written(r, comma),
            "timestamp": TIMES[time](t),
            "extra": "x",
        }
        for u, i, r, t in rows
    ]
    separator = draw(st.sampled_from([",", ";", "\t", "|", "::"]), label="separator")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), label="quoting")
    has_header = draw(st.booleans(), label="header")
    records = [[field[role] for role in order] for field in fields]
    head = [[names[role] for role in order]] if has_header else []
    numbers = {role: str(order.index(role) + 1) for role in HEADERS if role != "extra"}
    content = as_text([*head, *records], separator, quoting)
    raw = content.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), label="encoding"))
    packing = draw(st.sampled_from([*PACK, ".zip"]), label="container")
    path = place / f"table.csv{packing}"
    if packing == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("data/table.csv", raw)
    else:
        path.write_bytes(PACK[packing](raw))
    columns = None if has_header and draw(st.booleans()) else numbers
    with reading(fast=draw(st.booleans(), label="fast")):
        assert_read(path, rows, columns=columns)


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(list(PACK)), st.booleans(), st.sampled_from(["seconds", "iso"]))
def test_json_lines_hold_the_same_ratings(place, rows, packing, as_numbers, time):
    def value(text):
        return int(text) if as_numbers and text.isdecimal() and str(int(text)) == text else text

    lines = "".join(
        json.dumps(
            {
                "overall": r / 2,
                "comment": "x",
                "reviewerID": value(u),
                "asin": value(i),
                "timestamp": value(TIMES[time](t)),
            }
        )
        + "\n"
        for u, i, r, t in rows
    )
    path = place / f"table.jsonl{packing}"
    path.write_bytes(PACK[packing](lines.encode()))
    assert_read(path, rows)


@settings(max_examples=40, deadline=None)
@given(tables(), st.booleans())
def test_parquet_holds_the_same_ratings(place, rows, as_dates):
    users, items, levels, times = zip(*rows, strict=True)
    seconds = polars.Series(times)
    frame = polars.DataFrame(
        {
            "item_id": items,
            "comment": ["two\nlines"] * len(rows),
            "rating": [level / 2 for level in levels],
            "time": polars.from_epoch(seconds) if as_dates else seconds,
            "user_id": users,
        }
    )
    frame.write_parquet(place / "table.parquet")
    assert_read(place / "table.parquet", rows)
