"""The careful path refuses a faulty line at its line and field, and says what to do."""

import re

import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.archive import SourceFile
from recommender.core.readers.careful_path import CarefulReader
from recommender.core.readers.columns import Scales, TableFormat
from recommender.core.readers.problems import PROBLEMS_SHOWN
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import assert_paths_agree, refusal

HEADER = "user,item,rating,timestamp\n"
GOOD = HEADER + "1,2,4,100\n1,3,5,200\n"

#: The damage, its line and field, and a piece of the message.
DAMAGE = {
    "non-number": (GOOD + "2,2,good,300\n", 4, "rating", "'good' is not a number"),
    "two commas": (GOOD + '2,2,"1,234,5",300\n', 4, "rating", "1,234,5"),
    "underscore": (GOOD + "2,2,1_0,300\n", 4, "rating", "1_0"),
    "hexadecimal rating": (GOOD + "2,2,0x1,300\n", 4, "rating", "0x1"),
    "empty rating": (GOOD + "2,2,,300\n", 4, "rating", "is empty"),
    "NaN": (GOOD + "2,2,NaN,300\n", 4, "rating", "NaN"),
    "infinity": (GOOD + "2,2,inf,300\n", 4, "rating", "inf"),
    "infinity by size": (GOOD + "2,2,1e999,300\n", 4, "rating", "1e999"),
    "off every scale": (GOOD + "2,2,11,300\n", 4, "rating", "11 is not on the scale 1:5:1 or"),
    "between the steps": (GOOD + "2,2,3.2,300\n", 4, "rating", "3.2"),
    "zero": (GOOD + "2,2,0,300\n", 4, "rating", "0"),
    "negative": (GOOD + "2,2,-3,300\n", 4, "rating", "-3"),
    "too few fields": (GOOD + "2,2,4\n", 4, None, "3 fields instead of 4"),
    "too many fields": (GOOD + "2,2,4,300,9\n", 4, None, "5"),
    "fields that make up for each other": (HEADER + "1,2,4\n1,3,5,200,9\n", 2, None, "3"),
    "empty id": (GOOD + ",2,4,300\n", 4, "user", "'' is not an id"),
    "long id": (GOOD + "x" * 101 + ",2,4,300\n", 4, "user", "xxx"),
    "tab within an id": (GOOD + "a\tb,2,4,300\n", 4, "user", r"a\tb"),
    "control character": (GOOD + "a\x07b,2,4,300\n", 4, None, r"control character '\x07'"),
    "NUL byte": (GOOD + "2,2,4\0,300\n", 4, None, r"\x00"),
    "lone carriage return": (HEADER + "1,2,4,100\r1,3,5,200\n", 2, None, r"\r"),
    "quoted line end": (GOOD + '2,"2\n",4,300\n', 4, None, "a quote is not closed"),
    "open quote": (GOOD + '2,"2,4,300\n', 4, None, ""),
    "wrong encoding": (GOOD.encode() + b"zo\xe9,2,4,300\n", 4, None, "byte 3"),
    "negative time": (GOOD + "2,2,4,-1\n", 4, "timestamp", "-1 is before 1970"),
    "time overflow": (GOOD + f"2,2,4,{10**25}\n", 4, "timestamp", "1000"),
    "milliseconds": (GOOD + "2,2,4,1537799250000\n", 4, "timestamp", "1537799250000"),
    "time by size": (GOOD + "2,2,4,1e999\n", 4, "timestamp", "1e999"),
    "time as a date": (GOOD + "2,2,4,2001-01-01\n", 4, "timestamp", "2001-01-01"),
    "empty time": (GOOD + "2,2,4,\n", 4, "timestamp", "is empty"),
}


@pytest.mark.parametrize(("content", "line", "field", "words"), DAMAGE.values(), ids=DAMAGE)
def test_a_faulty_line_is_refused_at_its_line_and_field(tmp_path, content, line, field, words):
    path = sources.plain(tmp_path, content)
    error = refusal(path)
    assert (error.file, error.line, error.field) == (str(path), line, field)
    assert words in str(error)
    assert re.search(r"\. [A-Z].*\.\Z", str(error))  # a remedy


@pytest.mark.parametrize("content", [case[0] for case in DAMAGE.values()], ids=DAMAGE)
def test_the_refusal_is_the_same_on_both_paths_and_in_blocks_of_any_size(tmp_path, content):
    assert isinstance(assert_paths_agree(sources.plain(tmp_path, content)), str)


@pytest.mark.parametrize("user", ["ada", "-4", "007", str(2**63)])
def test_an_id_of_ml_100k_must_be_a_whole_number_of_64_bits(tmp_path, user):
    ratings = sources.HUNDRED["u.data"] + f"{user}\t1\t4\t5\n"
    error = refusal(sources.folder(tmp_path, sources.HUNDRED | {"u.data": ratings}))
    assert (error.line, error.field) == (5, "user")


def test_a_rating_off_the_given_scale_is_refused(tmp_path):
    error = refusal(sources.plain(tmp_path, GOOD), scale=Scale(1, 4, 1))
    assert (error.line, error.field) == (3, "rating")


FORM = TableFormat(
    *("csv", ",", ("user", "item", "rating"), 0, 1, 2, None, (Scale(1, 5, 1),)), text_ids=False
)


def careful(raw: bytes) -> tuple:
    file = SourceFile("table.csv", len(raw), lambda: None)
    reader = CarefulReader(file, FORM, Scales(FORM.scales), frozenset())
    return reader, reader.read(raw, 1)


def test_problems_are_collected_and_the_sound_lines_are_kept():
    reader, columns = careful(b"1,2,good\n1,3,4\n\n1,x,5\n2,3,9\n2,4,1\n")
    assert [(problem.line, problem.field) for problem in reader.problems.first] == [
        (1, "rating"),
        (4, "item"),
        (5, "rating"),
    ]
    assert (columns.users, columns.items, columns.lines) == (["1", "2"], ["3", "4"], [2, 6])


def test_all_problems_are_counted_and_the_first_are_kept():
    reader, columns = careful(b"1,2,bad\n" * 100 + b"1,2,4\n")
    assert (reader.problems.count, len(reader.problems.first)) == (100, PROBLEMS_SHOWN)
    assert columns.users == ["1"]
