"""The fast path takes only lines of plain numbers, and reads what the careful path reads."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recommender.core.ratings import Scale
from recommender.core.readers.archive import SourceFile
from recommender.core.readers.careful_path import CarefulReader
from recommender.core.readers.columns import Columns, Scales, TableFormat
from recommender.core.readers.fast_path import read_fast
from recommender.core.readers.movielens import DAT, TABS
from tests.recommender.core.readers.damage import mutations

HALF = (Scale(0.5, 5, 0.5),)
NAMES = ("user", "item", "rating", "timestamp")
NUMBERS = TableFormat("csv", ",", NAMES, 0, 1, 2, 3, HALF)
SHUFFLED = TableFormat("csv", ",", NAMES[::-1], 3, 2, 1, 0, HALF)
UNTIMED = TableFormat("csv", "::", NAMES[:3], 0, 1, 2, None, HALF)
LINES = b"1,10,4.0,964982703\n1,20,0.5,964981247\n2,10,5.0,964982224\r\n7,30,3,964983815\n"


def fast(block, form=NUMBERS):
    """The columns of ``block``, or None if it is left to the careful path."""
    parts = read_fast(block, form)
    if not parts:
        return None
    names = ("users", "items", "ratings", "times")[: len(form.names)]
    columns = Columns(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
    return columns if Scales(form.scales).accept(columns.ratings) else None


def test_plain_lines_become_columns():
    columns = fast(LINES)
    assert columns.users.tolist() == [1, 1, 2, 7]
    assert columns.items.tolist() == [10, 20, 10, 30]
    assert columns.ratings.tolist() == [4, 0.5, 5, 3]
    assert columns.times.tolist() == [964982703, 964981247, 964982224, 964983815]


@pytest.mark.parametrize(
    "line",
    [
        *("", " 1,2,3,4", "1,2,3,4 ", "+1,2,3,4", "-1,2,3,4", '"1",2,3,4', "1,2,3", "1,2,3,4,5"),
        *("1.0,2,3,4", "0x1,2,3,4", "1_0,2,3,4", ",2,3,4", "1,2,,4", "1,2,3,", "1,2,.,4"),
        *("1,2,3.25,4", "1,2,100,4", "1,2,3e0,4", "1,2,nan,4", "1,2,inf,4", "1,2,3.5.1,4"),
        *("1,2,3,4.0", "1,2,3,253402300800", "1,2,3,\t4", "1,2,3,4\r\r", "1,2,3,4\r5", "1;2;3;4"),
        *("1,2,3,4\0", "１,2,3,4", f"{2**63},2,3,4"),
    ],
)
def test_an_unusual_line_leaves_its_block_to_the_careful_path(line):
    assert fast(f"1,2,3,4\n{line}\n5,6,1,8\n".encode()) is None


@pytest.mark.parametrize(
    ("block", "form"),
    [
        (b"1::1193::5::978300760\n", DAT),
        (b"196\t242\t3\t881250949\n", TABS),
        (b"1::2::3\n4::5::1.5", UNTIMED),
        (LINES.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), NUMBERS),
    ],
)
def test_other_separators_and_line_ends_are_plain_too(block, form):
    assert len(fast(block, form).ratings) == len(block.splitlines())


@pytest.mark.parametrize("block", [b"1:2:3\n", b"1:::2::3\n", b"1::2::3:\n", b"1\x1f2\x1f3\n"])
def test_colons_that_are_not_separators_are_not_plain(block):
    assert fast(block, UNTIMED) is None


def test_the_parts_of_a_large_block_are_in_the_order_of_its_lines():
    n = 200_000
    lines = (f"{line},{line % 7},{line % 10 / 2 + 0.5},{10 * line}" for line in range(n))
    parts = read_fast("\n".join(lines).encode(), NUMBERS)
    assert len(parts) > 1
    line = np.arange(n)
    assert np.array_equal(np.concatenate([part.users for part in parts]), line)
    assert np.array_equal(np.concatenate([part.items for part in parts]), line % 7)
    assert np.array_equal(np.concatenate([part.ratings for part in parts]), line % 10 / 2 + 0.5)
    assert np.array_equal(np.concatenate([part.times for part in parts]), 10 * line)


@settings(max_examples=400, deadline=None)
@given(mutations(LINES), st.sampled_from([NUMBERS, SHUFFLED]))
@example(b"1.,10,4.0,5\n", NUMBERS)
@example(b"007,010,04.50,0005\n", NUMBERS)
def test_the_fast_path_takes_nothing_that_the_careful_path_refuses(block, form):
    columns = fast(block, form)
    if columns is None:
        return
    file = SourceFile("table.csv", len(block), lambda: None)
    reader = CarefulReader(file, form, Scales(form.scales), frozenset())
    careful = reader.read(block, 1)
    assert not reader.problems.count
    assert columns.users.tolist() == list(map(int, careful.users))
    assert columns.items.tolist() == list(map(int, careful.items))
    assert np.array_equal(columns.ratings, careful.ratings)
    assert columns.times.tolist() == careful.times.tolist()
    assert careful.lines == list(range(1, len(columns.ratings) + 1))
