"""Columns are known by the names that people give them, or by what the user says."""

import pytest

from recommender.core.errors import ConfigurationError
from recommender.core.readers.names import find_roles, parse_columns, simple_name
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.outcomes import triples

PLAIN = "user,item,rating\n1,2,4\n1,3,5\n2,2,1\n"
TRIPLES = [(1, 2, 4.0, 0), (1, 3, 5.0, 0), (2, 2, 1.0, 0)]


@pytest.mark.parametrize(
    ("user", "item", "rating"),
    [
        ("userId", "movieId", "rating"),
        ("user_id", "anime_id", "score"),
        ("User-ID", "ISBN", "Book-Rating"),
        ("reviewerID", "asin", "overall"),
        ("uid", "book_id", "stars"),
        ("user id", "Item", "Score"),
        ("user_id:token", "item_id:token", "rating:float"),
    ],
)
def test_d2_columns_are_known_by_the_names_that_people_use(tmp_path, user, item, rating):
    source = read_source(
        sources.plain(tmp_path, PLAIN.replace("user,item,rating", f"{user},{item},{rating}"))
    )
    assert triples(source.ratings) == TRIPLES
    assert source.reading["columns"] == f"user = {user}, item = {item}, rating = {rating}"


def test_d2_other_names_are_given_by_name_or_number(tmp_path):
    lines = "who,what,how\n1,2,4\n1,3,5\n2,2,1\n"
    for columns in ("user=who,item=what,rating=how", "user=1, item=2, rating=3"):
        assert (
            triples(
                read_source(sources.plain(tmp_path, lines), columns=parse_columns(columns)).ratings
            )
            == TRIPLES
        )


@pytest.mark.parametrize("text", ["user", "user=", "person=a", "user=a,user=b", ""])
def test_d2_a_wrong_list_of_columns_is_refused(text):
    with pytest.raises(ConfigurationError, match="--columns user=NAME"):
        parse_columns(text)


@pytest.mark.parametrize("name", ["userId", "user_id", "User-ID", " USER ID ", "user_id:token"])
def test_spelling_does_not_matter(name):
    assert simple_name(name) == "userid"


def test_every_column_that_may_play_a_role_is_found():
    names = ["user", "item_id", "isbn", "mood"]
    assert find_roles(names, ["user", "item", "rating"]) == {
        "user": [0],
        "item": [1, 2],
        "rating": [],
    }
    given = {"item": "isbn", "rating": "4"}
    assert find_roles(names, ["item", "rating"], given) == {"item": [2], "rating": [3]}


def test_a_number_that_is_no_column_may_be_a_name():
    assert find_roles(["0", "1"], ["user"], {"user": "0"}) == {"user": [0]}
    assert find_roles(["a", "b"], ["user"], {"user": "7"}) == {"user": []}
