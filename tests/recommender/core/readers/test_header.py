"""The separator of a table is the one that makes sense of its header."""

import pytest

from recommender.core.readers.header import split_header
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import refusal, triples

PLAIN = "user,item,rating\n1,2,4\n1,3,5\n2,2,1\n"
TRIPLES = [(1, 2, 4.0, 0), (1, 3, 5.0, 0), (2, 2, 1.0, 0)]


@pytest.mark.parametrize(
    ("separator", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "pipe"), ("::", "two colons")]
)
def test_d3_the_separator_is_recognised(tmp_path, separator, name):
    source = read_source(sources.plain(tmp_path, PLAIN.replace(",", separator)))
    assert triples(source.ratings) == TRIPLES
    assert source.reading["separator"] == name


def test_d3_a_separator_that_is_not_known_is_named_as_the_cause(tmp_path):
    error = refusal(sources.plain(tmp_path, "user item rating\n1 2 4\n"))
    assert "the separator of the columns was not recognised in 'user item rating'" in str(error)


@pytest.mark.parametrize(
    ("line", "separator", "names"),
    [
        ("user;item, in words;rating", ";", ["user", "item, in words", "rating"]),
        ('"user","item","a;b"', ",", ["user", "item", "a;b"]),
        ("a::user::item", "::", ["a", "user", "item"]),
    ],
)
def test_a_header_is_split_where_most_columns_are_known(line, separator, names):
    assert split_header(line, ["user", "item", "rating"]) == (separator, names)
