"""A line is decoded and split, and its errors name the file, the line and the remedy."""

import io

import pytest

from recommender.core.errors import SourceError
from recommender.core.readers.archive import SourceFile
from recommender.core.readers.lines import Line

LINE = Line(SourceFile("films.csv", 0, io.BytesIO), 7)


def test_a_line_is_utf_8_or_else_latin_1():
    assert LINE.text("Amélie".encode()) == LINE.text("Amélie".encode("latin-1")) == "Amélie"


def test_quotes_hide_separators():
    assert LINE.split(b'1,"a,b"', ",") == ["1", "a,b"]


@pytest.mark.parametrize(
    ("work", "problem"),
    [
        (lambda: LINE.split(b"a,\xff", ","), "byte 3 is not UTF-8"),
        (lambda: LINE.split(b'a,"b', ","), "a quote is not closed"),
        (lambda: LINE.text(b"a\0b"), "control character"),
        (lambda: LINE.expect(3, ["1"]), "1 fields instead of 3"),
    ],
)
def test_an_unusable_line_is_refused_with_its_number(work, problem):
    with pytest.raises(SourceError, match=problem) as refused:
        work()
    assert (refused.value.file, refused.value.line) == ("films.csv", 7)
