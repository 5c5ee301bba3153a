"""Ratings come out sorted; a repeated pair and an unknown item are refused at their line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import assert_paths_agree, refusal, triples

HEADER = "user,item,rating,timestamp\n"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, unique=True))
def test_ratings_are_sorted_by_user_then_item(tmp_path_factory, pairs):
    lines = "".join(f"{user},{item},{1 + user % 5},{item}\n" for user, item in pairs)
    path = sources.plain(tmp_path_factory.mktemp("pairs"), HEADER + lines)
    expected = [(user, item, 1 + user % 5, item) for user, item in sorted(pairs)]
    assert triples(read_source(path).ratings) == expected


@pytest.mark.parametrize(
    ("content", "line", "first"),
    [
        (HEADER + "1,2,4,100\n1,3,5,200\n2,2,3,300\n1,2,5,400\n", 5, 2),
        (HEADER + "\n1,2,4,100\n\n\n1,3,4,100\n\n1,2,5,100\n", 8, 3),
        (HEADER + "1,1,4,5\n1,2,4,5\n1,2,4,5\n1,1,4,5\n", 4, 3),
    ],
    ids=["among others", "after blank lines", "the first of two repetitions"],
)
def test_a_repeated_pair_is_refused_and_both_lines_are_named(tmp_path, content, line, first):
    path = sources.plain(tmp_path, content)
    error = refusal(path)
    assert (error.line, error.field) == (line, "item")
    assert f"on line {first}." in str(error)
    assert assert_paths_agree(path) == str(error)


def test_an_item_that_the_catalogue_lacks_is_refused(tmp_path):
    ratings = sources.MOVIELENS["ratings.csv"] + "9,11,4.0,5\n"
    error = refusal(sources.folder(tmp_path, sources.MOVIELENS | {"ratings.csv": ratings}))
    assert (error.file, error.line, error.field) == (str(tmp_path / "ratings.csv"), 6, "movieId")
    assert f"item 11 is not in {tmp_path / 'movies.csv'}. Add the item" in str(error)


def test_rows_point_to_the_ratings_of_each_user(tmp_path):
    ratings = read_source(sources.plain(tmp_path, HEADER + "9,1,4,5\n7,1,4,5\n9,2,1,5\n")).ratings
    assert ratings.indptr.tolist() == [0, 1, 3]
    assert ratings.indices.dtype == np.int32
