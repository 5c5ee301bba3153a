import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recommender.core.algorithms.base import seeded_hash
from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.popularity import Popularity
from recommender.core.configs.simple import BiasConfig, PopularityConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, profiles, random_ratings


class TestPopularity(SystemContract):
    system = "popularity"
    is_personal = False

    def ranked_by(self, model, rows, items):
        return np.count_nonzero(model.profiles_.toarray(), axis=0)[items]


def test_everyone_gets_the_most_rated_items_that_they_have_not_rated():
    dense = np.array([[1, 1, 0, 0, 5], [1, 2, 1, 0, 0], [2, 1, 0, 5, 0], [1, 0, 1, 0, 0.0]])
    model = Popularity().fit(of_dense(dense))
    ranking = model.recommend(profiles({}, {0: 5}, {4: 5, 1: 1}, n_items=5), 4)
    # Items 3 and 4 have one rating of 5 each.
    assert ranking.items[:, :2].tolist() == [[0, 1], [1, 2], [0, 2]]
    assert ranking.tied.tolist() == [1, 1, 1]


def test_the_better_rated_of_equally_popular_items_comes_first():
    dense = np.array([[5, 4, 3, 5], [1, 5, 4, 5.0]])
    ranking = Popularity().fit(of_dense(dense)).recommend(profiles({}, n_items=4), 4)
    assert ranking.items[0].tolist() == [3, 1, 2, 0]
    assert ranking.tied[0] == 4


def test_a_seeded_hash_breaks_the_last_ties():
    ratings = of_dense(np.full((3, 30), 4.0))
    for seed in range(4):
        model = Popularity().fit(ratings, options=RunOptions(seed=seed))
        best = model.recommend(profiles({}, n_items=30), 1).items[0, 0]
        assert best == np.argmin(seeded_hash(30, seed))


def test_its_predictions_are_those_of_the_damped_bias_with_the_same_settings():
    ratings = random_ratings(4)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    model = Popularity(PopularityConfig(user_damping=2, item_damping=9)).fit(ratings)
    bias = Bias(BiasConfig(user_damping=2, item_damping=9)).fit(ratings)
    assert_array_equal(model.predict(None, rows, items), bias.predict(None, rows, items))
    assert model.train_rmse_ == bias.train_rmse_


def test_a_negative_damping_is_refused():
    with pytest.raises(ConfigurationError, match="item_damping=-1"):
        Popularity(PopularityConfig(item_damping=-1.0)).fit(random_ratings(0))
