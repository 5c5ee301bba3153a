"""A file of recommendations is read line by line, and every fault is named with its remedy."""

import csv
import hashlib
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import uploads
from survey.errors import StudyError
from survey.uploads import read_uploads

HEADER = "profile,system,movie,rank,score"
USERS = {f"u{number}": number for number in range(6)}
ITEMS = {str(100 + number): number for number in range(8)}


def rated(users, movies):
    """Everybody has rated the movie of his own number, and no other."""
    return users == movies


def nobody(users, movies):
    """Nothing was rated."""
    return np.zeros(len(users), bool)


def read(text, *, rated=rated):
    content = text if isinstance(text, bytes) else text.encode()
    return read_uploads(io.BytesIO(content), name="list.csv", users=USERS, items=ITEMS, rated=rated)


def faults(*lines, header=HEADER):
    with pytest.raises(StudyError) as refused:
        read("\n".join([header, *lines]))
    return str(refused.value).splitlines()


def rows(found):
    return [
        (int(user), int(movie), int(rank))
        for user, movie, rank in zip(found.users, found.items, found.ranks, strict=True)
    ]


def test_a_list_is_read_by_system_in_the_order_of_users_and_ranks():
    found = read(f"{HEADER}\nu1,mine,103,2,\nu1,mine,102,1,4.5\nu0,mine,101,1,\nu0,other,105,1,2\n")
    assert list(found) == ["mine", "other"]
    assert rows(found["mine"]) == [(0, 1, 1), (1, 2, 1), (1, 3, 2)]
    assert np.isnan(found["mine"].scores[[0, 2]]).all()
    assert found["mine"].scores[1] == 4.5


def test_the_checksum_is_that_of_the_file():
    text = f"{HEADER}\nu1,mine,102,1,\n"
    assert read(text)["mine"].checksum == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffprofile,system,movie,rank,score\nu1,mine,102,1,\n",
        "score,rank,movie,system,profile\r\n,1,102,mine,u1\r\n",
        'Profile, System ,movie,rank,score\n\n"u1","mine",102,1,\n\n',
    ],
    ids=["byte order mark", "other order and line ends", "quotes, spaces and empty lines"],
)
def test_tables_are_taken_as_spreadsheets_write_them(text):
    assert rows(read(text)["mine"]) == [(1, 2, 1)]


@pytest.mark.parametrize(
    ("line", "column", "value"),
    [
        ("nobody,mine,102,1,", "profile", "'nobody'"),
        ("u1,mine,999,1,", "movie", "'999'"),
        ("u1,mine,102,0,", "rank", "'0'"),
        ("u1,mine,102,-1,", "rank", "'-1'"),
        ("u1,mine,102,1.0,", "rank", "'1.0'"),
        ("u1,mine,102,99999999999,", "rank", "'99999999999'"),
        ("u1,mine,102,1,high", "score", "'high'"),
        ("u1,mine,102,1,nan", "score", "'nan'"),
        ("u1,mine,102,1,-inf", "score", "'-inf'"),
        ("u1,mine,102,1,1_0", "score", "'1_0'"),
        ("u1,,102,1,", "system", "empty"),
        (f"u1,{'x' * 61},102,1,", "system", "1 to 60"),
        ("u1,mine,101,1,", "movie", "already"),
        ("u1,mine,102,2,", "rank", "best is 2"),
        ("u1,mine,102,1", "line", "4 cells instead of 5"),
        ('u1,mine,"102,1,', "line", "CSV"),
    ],
)
def test_each_problem_is_named_with_line_column_and_value(line, column, value):
    head, fault = faults(line)
    assert head == "list.csv has 1 problem; nothing was stored."
    assert fault.strip().startswith(f"list.csv, line 2, {column}: ")
    assert value in fault


def test_a_repeated_rank_and_a_repeated_movie_are_named_in_the_later_line():
    _, rank, movie = faults("u1,mine,102,1,", "u1,mine,103,1,", "u1,mine,102,3,")
    assert "line 3, rank: " in rank
    assert "line 4, movie: " in movie


def test_another_system_or_profile_may_have_the_same_rank():
    found = read(f"{HEADER}\nu1,mine,102,1,\nu1,other,102,1,\nu2,mine,103,1,\n")
    assert [len(each.users) for each in found.values()] == [2, 1]


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("profile,system,movie,rank", "score"),
        ("profile,system,movie,rank,score,age", "'age'"),
        ("profile,system,movie,rank,score,rank", "rank"),
        ("", "profile"),
    ],
)
def test_a_wrong_header_is_named_by_its_columns(header, column):
    _, fault, *_ = faults("u1,mine,102,1,", header=header)
    assert fault.strip().startswith(f"list.csv, line 1, {column}: ")


def test_a_file_without_a_row_says_so():
    assert "line 1, profile: " in faults()[1]


def test_the_first_twenty_problems_are_listed_and_all_are_counted():
    head, *told = faults(*["u1,mine,999,1,"] * 1234, "u1,mine,999,0,")
    # Each line names an unknown movie, and the doubled ranks of 1,233 are problems too.
    assert head == "list.csv has 2,469 problems, the first 20; nothing was stored."
    assert len(told) == 20
    assert "line 2, movie" in told[0]


def test_problems_are_in_the_order_of_the_file():
    _, *told = faults("u1,mine,101,1,", "u2,mine,999,1,", "u3,mine,103,1,")
    assert [fault.split(",")[1] for fault in told] == [" line 2", " line 3", " line 4"]


def test_a_line_that_is_not_utf8_is_named_and_the_rest_is_read():
    with pytest.raises(StudyError) as refused:
        read(f"{HEADER}\nu1,m".encode() + b"\xff,102,1,\n" + b"u2,mine,999,1,\n")
    _, first, second = str(refused.value).splitlines()
    assert "line 2, line: it is not UTF-8" in first
    assert "line 3, movie" in second


def test_an_endless_line_is_named_and_never_held():
    with pytest.raises(StudyError) as refused:
        read(f"{HEADER}\n{'x' * 5_000_000}\nu1,mine,999,1,\n")
    _, first, second = str(refused.value).splitlines()
    assert "line 2, line: it is longer than 10,000 bytes" in first
    assert "line 3, movie" in second


def test_more_rows_than_can_be_kept_are_refused(monkeypatch):
    monkeypatch.setattr(uploads, "MOST_ROWS", 2)
    _, fault = faults("u1,mine,102,1,", "u2,mine,103,1,", "u3,mine,104,1,", "u4,mine,105,1,")
    assert "line 4, line: there are more than 2 rows." in fault


def test_a_row_takes_little_memory_however_many_there_are():
    users = {str(number): number for number in range(20_000)}
    table = "\n".join([HEADER, *(f"{user},mine,102,1,4.5" for user in users)]).encode()
    tracemalloc.start()
    try:
        found = read_uploads(
            io.BytesIO(table), name="list.csv", users=users, items=ITEMS, rated=nobody
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found["mine"].users) == 20_000
    assert peak / 20_000 < 250  # bytes


# -- whatever a table holds ------------------------------------------------------------------------

names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20
)
scores = st.one_of(st.none(), st.floats(-1e9, 1e9, allow_nan=False))
#: For some users and systems a list of different movies, each with its score.
lists = st.dictionaries(
    st.tuples(st.sampled_from(sorted(USERS)), names),
    st.lists(st.sampled_from(sorted(ITEMS)), min_size=1, max_size=8, unique=True),
    min_size=1,
    max_size=10,
)


@given(lists, st.permutations(HEADER.split(",")), st.randoms(), st.booleans(), scores)
def test_what_was_written_is_what_is_read(wanted, columns, random, mark, score):
    table = [
        {"profile": user, "system": system, "movie": movie, "rank": rank, "score": score}
        for (user, system), movies in wanted.items()
        for rank, movie in enumerate(movies, start=1)
    ]
    random.shuffle(table)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(table)
    text = ("\ufeff" if mark else "") + out.getvalue()
    found = read(text, rated=nobody)
    expected = {
        (system, USERS[user], ITEMS[movie], rank)
        for (user, system), movies in wanted.items()
        for rank, movie in enumerate(movies, start=1)
    }
    assert {(name, *row) for name, each in found.items() for row in rows(each)} == expected
    for each in found.values():
        assert rows(each) == sorted(rows(each), key=lambda row: (row[0], row[2]))
        assert np.isnan(each.scores).all() if score is None else (each.scores == score).all()


def attempt(content):
    """The lists, or the lines of the report."""
    try:
        return read(content), []
    except StudyError as refused:
        return {}, str(refused).splitlines()


cells = st.one_of(
    st.sampled_from([*USERS, *ITEMS, "1", "2", "x", "", '"', "nan", "\n", "\r", "\0", "1e999"]),
    st.text(max_size=8),
)


@given(st.lists(st.lists(cells, max_size=7), max_size=8), st.booleans())
def test_any_other_table_is_read_or_refused_with_a_report(table, header):
    lines = [HEADER] * header + [",".join(line) for line in table]
    found, report = attempt("\n".join(lines).encode("utf-8", "surrogatepass"))
    assert bool(found) != bool(report)
    assert all(len(each.users) for each in found.values())
    assert len(report) != 1


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(content):
    found, report = attempt(content)
    assert not found
    assert report[0].startswith("list.csv has")
