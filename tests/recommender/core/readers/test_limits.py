"""What a source cannot support is said at import."""

import pytest

from recommender.core.readers.demo import demo_source
from recommender.core.readers.limits import find_limits
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources


def limits(where, content):
    return " ".join(find_limits(read_source(sources.plain(where, content))))


def test_demo_data_support_everything():
    assert find_limits(demo_source()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("user,item,rating\n1,2,4\n", "Without times the ratings cannot be split by time"),
        ("user,item,rating,time\n1,2,4,9\n2,2,5,9\n", "Nearly all ratings have the same time"),
        ("user,item,rating\n1,2,4\n2,2,5\n", "Only one item is rated"),
        ("user,item,rating\n1,2,4\n1,3,5\n2,2,5\n", "1 user rated every item"),
        ("user,item,rating\n1,2,4\n1,3,4\n", "All ratings are equal"),
        ("user,item,rating\n1,2,4\n", "There are no titles"),
        (
            "user,item,rating\n" + "".join(f"1,{item},4\n" for item in range(5)) + "2,2,5\n",
            "1 user has 5 ratings or more; a study asks about 200 such profiles",
        ),
    ],
)
def test_a_limit_is_named_with_a_way_out(tmp_path, content, words):
    assert words in limits(tmp_path, content)
