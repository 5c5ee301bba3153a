"""Lines are joined while a quoted field is open, and keep the number of the first one."""

import pytest

from recommender.core.readers.quotes import MOST_LINES, LineJoiner


def joined(text, separator=","):
    lines = enumerate(text.encode().split(b"\n"), 1)
    return [(line, raw.decode()) for line, raw in LineJoiner(separator).join(lines)]


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("a,b\nc,d", [(1, "a,b"), (2, "c,d")]),
        ('a,"b\nc\nd"\ne,f', [(1, 'a,"b\nc\nd"'), (4, "e,f")]),
        ('a,"b ""c\n"" d"\ne', [(1, 'a,"b ""c\n"" d"'), (3, "e")]),
        ('a,5" disk\nb,c', [(1, 'a,5" disk'), (2, "b,c")]),
        ('a,"b\nc', [(1, 'a,"b\nc')]),
        ('a,"b"x"\nc', [(1, 'a,"b"x"'), (2, "c")]),
    ],
)
def test_lines_of_one_record_are_joined(text, records):
    assert joined(text) == records


def test_two_colons_know_no_quotes():
    assert joined('a::"b\nc', "::") == [(1, 'a::"b'), (2, "c")]


def test_a_quote_that_stays_open_swallows_a_limited_number_of_lines():
    records = joined('a,"b\n' + "c\n" * MOST_LINES + "d")
    assert records[0][1].count("\n") == MOST_LINES - 1
    assert records[-1] == (MOST_LINES + 2, "d")
