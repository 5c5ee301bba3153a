"""Times are recognised by their first values and turned into seconds since 1970."""

import pytest

from recommender.core.readers.columns import LineError
from recommender.core.readers.times import find_ticks, to_seconds


@pytest.mark.parametrize(
    ("texts", "ticks"),
    [
        ([], 1),
        (["", "1200000000"], 1),
        (["1200000000123"], 1000),
        (["2005-09-06"], 0),
        (["20050906"], 0),
        (["20050906", "1200000000"], 1),
        (["yesterday"], 1),
    ],
)
def test_the_unit_is_that_of_the_first_times(texts, ticks):
    assert find_ticks(texts) == ticks


@pytest.mark.parametrize(
    ("text", "ticks", "seconds"),
    [
        ("100.9", 1, 100),
        ("1500", 1000, 1),
        ("1970-01-02", 0, 86400),
        ("1970-01-01T01:00+01:00", 0, 0),
    ],
)
def test_fractions_of_a_second_are_cut_off(text, ticks, seconds):
    assert to_seconds(text, ticks) == seconds


@pytest.mark.parametrize(
    ("text", "ticks", "problem"),
    [
        ("", 1, "is empty"),
        ("soon", 1, "not a time in seconds or a date"),
        ("2005-13-01", 0, "not a date of ISO 8601"),
        ("-5", 1, "before 1970"),
    ],
)
def test_anything_else_is_refused_with_a_remedy(text, ticks, problem):
    with pytest.raises(LineError) as refused:
        to_seconds(text, ticks)
    found, remedy = refused.value.args
    assert problem in found
    assert remedy.startswith("Write ")
