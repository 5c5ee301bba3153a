from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings, Scale
from tests.recommender.core.matrices import HALF_STARS, random_ratings


def test_a_scale_is_read_from_its_text_and_written_back():
    assert Scale.parse("0.5:5:0.5") == HALF_STARS
    assert str(HALF_STARS) == "0.5:5:0.5"
    assert len(HALF_STARS.levels()) == 10


@pytest.mark.parametrize(
    "text", ["0:5:nan", "0:inf:1", "0:9e9:1", "5:1:1", "1:5:0", "1:5:0.3", "1:5", "one:5:1"]
)
def test_an_invalid_scale_is_refused(text):
    with pytest.raises(ConfigurationError):
        Scale.parse(text)


@pytest.mark.parametrize("text", ["0:10:1", "-10:10:0.01", "-3:-1:1", "3:3:1"])
def test_a_scale_may_begin_anywhere(text):
    assert str(Scale.parse(text)) == text


def test_only_a_scale_that_reaches_zero_is_shifted():
    assert (HALF_STARS.offset, Scale(0, 10, 1).offset, Scale(-10, 10, 0.5).offset) == (0, 1, 10.5)


def test_a_scale_contains_only_its_levels():
    values = np.array([0.5, 5.0, 0.0, 5.5, 2.25, np.nan, np.inf])
    assert HALF_STARS.contains(values).tolist() == [True, True] + [False] * 5


def test_triples_in_any_order_give_sorted_rows_with_their_time_stamps():
    ratings = Ratings.from_triples(
        np.array([1, 0, 1]),
        np.array([2, 1, 0]),
        np.array([4.0, 3.0, 5.0]),
        scale=HALF_STARS,
        timestamps=np.array([10, 20, 30]),
    )
    assert ratings.matrix().toarray().tolist() == [[0, 3, 0], [5, 0, 4]]
    assert ratings.timestamps.tolist() == [20, 30, 10]


def test_a_repeated_pair_is_refused():
    with pytest.raises(ConfigurationError):
        Ratings.from_triples([0, 0], [1, 1], [3.0, 4.0], scale=HALF_STARS)


@pytest.mark.parametrize("seed", range(5))
def test_selected_ratings_keep_their_places(seed):
    ratings = random_ratings(seed)
    chosen = np.random.default_rng(seed).random(ratings.n_ratings) < 0.4
    selected, whole = ratings.select(chosen), ratings.matrix().toarray()
    dropped = ratings.select(~chosen).matrix().toarray()
    assert_array_equal(selected.matrix().toarray() + dropped, whole)
    assert selected.n_ratings == np.count_nonzero(chosen)
    assert_array_equal(selected.timestamps, ratings.timestamps[chosen])


def test_what_the_ratings_lack_is_named():
    ratings = random_ratings(seed=1)
    assert replace(ratings, timestamps=None).lacks(["timestamps", "tags"]) == ["timestamps", "tags"]
    assert (
        replace(ratings, timestamps=np.zeros(ratings.n_ratings, np.int64)).lacks(["timestamps"])
        == []
    )
