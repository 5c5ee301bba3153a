"""Any table that can be written is read as it was meant; any damage is an error, never a crash."""

import csv
import re
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers import read_source
from recommender.core.readers.columns import Layout, Scales, Texts
from recommender.core.readers.members import Member
from recommender.core.readers.table import _Reading
from tests.recommender.core import sources
from tests.recommender.core.test_readers import triples

HALF = Scale(0.5, 5, 0.5)
LATEST = 253_402_300_799
WORD = re.compile(r"[^\x00-\x1f\x7f-\x9f\ufeff]{1,100}")

number_ids = st.integers(0, 2**63 - 1)
letters = st.characters(
    exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp", "Cn"], exclude_characters="\ufeff"
)
text_ids = st.text(letters, min_size=1, max_size=12).filter(
    lambda text: not re.fullmatch(r"[+-]?\d+", text)
)
stars = st.integers(1, 10).map(lambda level: level / 2)
times = st.integers(0, LATEST)


@st.composite
def tables(draw):
    """Rows (user, movie, stars, seconds) without a repeated pair."""
    users, movies = (draw(st.sampled_from([number_ids, text_ids])) for _ in range(2))
    rows = st.tuples(users, movies, stars, times)
    return draw(st.lists(rows, min_size=1, max_size=30, unique_by=lambda row: row[:2]))


def parsed(path, scale=HALF):
    return triples(read_source(path, scale=scale).ratings)


def outcome(path):
    """What was read, or the message of the refusal; any other exception is a failure."""
    try:
        return parsed(path, scale=None if path.is_dir() else HALF)
    except SourceError as error:
        return str(error)


def written(where: Path, rows, *, quoting=csv.QUOTE_MINIMAL, end="\n", encoding="utf-8") -> Path:
    path = where / "table.csv"
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.writer(stream, quoting=quoting, lineterminator=end)
        writer.writerow(["user", "item", "rating", "timestamp"])
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def place():
    with tempfile.TemporaryDirectory() as where:
        yield Path(where)


@settings(max_examples=150, deadline=None)
@given(
    tables(),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_any_table_is_read_as_it_was_written(place, rows, quoting, end, encoding):
    path = written(place, rows, quoting=quoting, end=end, encoding=encoding)
    assert sorted(parsed(path)) == sorted(rows)


def meant(raw: bytes) -> list[tuple]:
    """A slow, independent reading of a plain CSV; ValueError where it is not sound."""
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
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", rating, re.I | re.A):
            raise ValueError("no rating")
        if float(rating) * 2 not in range(1, 11):
            raise ValueError("off the scale")
        if not re.fullmatch(r"[+-]?\d+", seconds, re.A) or not 0 <= int(seconds) <= LATEST:
            raise ValueError("no time")
        rows.append((user, item, float(rating), int(seconds)))
    for column in (0, 1):
        ids = [row[column] for row in rows]
        if all(re.fullmatch(r"[+-]?\d+", text, re.A) and 0 <= int(text) < 2**63 for text in ids):
            rows = [(*row[:column], int(row[column]), *row[column + 1 :]) for row in rows]
    if len({row[:2] for row in rows}) != len(rows) or not rows:
        raise ValueError("a pair twice, or nothing")
    return rows


TABLE = (
    b"user,item,rating,timestamp\n1,10,4.0,964982703\n1,20,0.5,964981247\n"
    b'2,10,5.0,964982224\r\n"7","30",3.5,964983815\n12,20,2,1\n'
)
scraps = st.one_of(
    st.binary(min_size=0, max_size=3),
    st.sampled_from([b'"', b",", b"\n", b"\r", b"\r\n", b"\0", b"-", b"+", b" ", b"e1", b"0", b"."])
    | st.sampled_from(
        [b"nan", b"inf", b"x", b'""', b"\xff", b"\xc3\xa9", b"\t", b"\xef\xbb\xbf", b"\x1f"]
    ),
)


@st.composite
def mutations(draw, original=TABLE):
    """The table with one to three pieces overwritten, inserted or cut out, after its header."""
    raw = original
    start = original.index(b"\n") + 1
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(min(start, len(raw)), len(raw)))
        raw = raw[:place] + draw(scraps) + raw[place + draw(st.integers(0, 3)) :]
    return raw


@settings(max_examples=600, deadline=None)
@given(mutations())
@example(TABLE.replace(b"1,10,4.0", b'"1"2,10,4.0'))
@example(TABLE.replace(b"1,10,4.0", b"1_0,10,4.0"))
@example(TABLE.replace(b"1,10,4.0,964982703", b"1,10,4.0,964982703.0"))
@example(TABLE.replace(b"1,10,4.0", b"1,10,1,4.0").replace(b",20,0.5", b",0.5"))
def test_a_mutated_table_is_read_as_it_stands_or_refused(place, raw):
    path = place / "mutated.csv"
    path.write_bytes(raw)
    found = outcome(path)
    if isinstance(found, str):
        assert found.startswith(str(path))
    else:
        assert sorted(found) == sorted(meant(raw))


@settings(max_examples=400, deadline=None)
@given(mutations(TABLE.partition(b"\n")[2] * 2), st.sampled_from([set(), {0}, {0, 1}]))
def test_the_fast_way_never_takes_what_the_careful_way_refuses(raw, text):
    layout = Layout(",", ("user", "item", "rating", "timestamp"), 0, 1, 2, 3, text_ids=True)
    member = Member("table.csv", len(raw), lambda: None)
    fast = _Reading(member, layout, Scales([HALF]), text, lambda *_: None)._fast(raw)
    if fast is not None:
        slow, _ = _Reading(member, layout, Scales([HALF]), text, lambda *_: None)._slow(raw, 1)
        for one, other in zip(fast, slow, strict=True):
            assert plainly(one) == plainly(other)


def plainly(column):
    if isinstance(column, Texts):
        return [column.different[code] for code in column.codes]
    return column.tolist()


FORMATS = {
    "movielens": (sources.MOVIELENS, "ratings.csv"),
    "movies": (sources.MOVIELENS, "movies.csv"),
    "links": (sources.MOVIELENS, "links.csv"),
    "readme": (sources.MOVIELENS, "README.txt"),
    "dat": (sources.DAT, "ratings.dat"),
    "tabs": (sources.HUNDRED, "u.data"),
    "items": (sources.HUNDRED, "u.item"),
    "fold": (sources.HUNDRED, "u1.test"),
}


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize(("files", "name"), FORMATS.values(), ids=FORMATS)
def test_damage_to_any_file_of_any_format_is_a_source_error_or_nothing(place, files, name, data):
    where = sources.folder(place / name, files)
    original = files[name].encode()
    cut = data.draw(st.integers(0, len(original)))
    scrap = data.draw(st.binary(max_size=4) | scraps)
    (where / name).write_bytes(original[:cut] + scrap + original[cut + len(scrap) :])
    found = outcome(where)
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
    with pytest.raises(SourceError):
        read_source(path)


def test_zipfile_is_what_the_zip_property_relies_on(place):
    with zipfile.ZipFile(sources.zipped(place / "whole.zip", sources.MOVIELENS)) as archive:
        assert archive.testzip() is None
