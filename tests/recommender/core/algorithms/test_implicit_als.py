import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.implicit_als import ImplicitALS
from recommender.core.configs.liked_items import ImplicitALSConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, profiles, random_ratings


def weighted_ridge(liked, others, config):
    """The vectors of the rows of a dense matrix by least squares over all of its weighted cells."""
    root = np.sqrt(config.ridge) * np.eye(config.factors)
    found = []
    for row in liked:
        weight = np.sqrt(1 + config.alpha * row)
        left = np.vstack([weight[:, None] * others, root])
        right = np.append(weight * row, np.zeros(config.factors))
        found.append(np.linalg.lstsq(left, right)[0])
    return np.array(found)


def loss(liked, users, items, config):
    errors = (1 + config.alpha * liked) * (liked - users @ items.T) ** 2
    return errors.sum() + config.ridge * ((users**2).sum() + (items**2).sum())


def liked_of(ratings):
    return (ratings.matrix().toarray() >= 4).astype(float)


class TestImplicitALS(SystemContract):
    system = "implicit-als"
    is_personal = False

    def ranked_by(self, model, rows, items):
        liked = (model.profiles_.toarray() >= 4).astype(float)
        scores = weighted_ridge(liked, model.factors_, model.config) @ model.factors_.T
        largest = np.abs(scores).max(axis=1)
        return np.round(scores / np.where(largest > 0, largest, 1)[:, None], 6)[rows, items]


@pytest.mark.parametrize("alpha", [0.0, 4.0])
def test_the_factors_are_those_of_weighted_least_squares_over_all_cells(alpha):
    ratings = random_ratings(3, n_users=25, n_items=14)
    config = ImplicitALSConfig(factors=3, iterations=4, ridge=0.7, alpha=alpha)
    model = ImplicitALS(config).fit(ratings, options=RunOptions(seed=7))
    liked, items = liked_of(ratings), np.random.default_rng(7).normal(scale=0.01, size=(14, 3))
    for _ in range(4):
        items = weighted_ridge(liked.T, weighted_ridge(liked, items, config), config)
    assert_allclose(model.factors_, items, atol=1e-9)


def test_every_iteration_lowers_the_loss():
    ratings = random_ratings(3, n_users=25, n_items=14)
    liked, losses = liked_of(ratings), []
    for iterations in range(1, 8):
        config = ImplicitALSConfig(factors=4, iterations=iterations, ridge=0.5)
        items = ImplicitALS(config).fit(ratings).factors_
        losses.append(loss(liked, weighted_ridge(liked, items, config), items, config))
    assert np.all(np.diff(losses) < 0)


def test_the_best_item_is_one_that_people_of_the_same_taste_liked():
    dense = np.ones((40, 12))
    dense[::2, :6] = dense[1::2, 6:] = 5  # everyone likes the items of one half
    dense[np.arange(40), np.arange(40) % 12] = 0
    model = ImplicitALS(ImplicitALSConfig(factors=2, ridge=1)).fit(of_dense(dense))
    ranking = model.recommend(profiles({0: 5, 1: 5}, {8: 4, 0: 1}, n_items=12), 4)
    assert sorted(ranking.items[0]) == [2, 3, 4, 5]
    assert set(ranking.items[1]) < {6, 7, 9, 10, 11}
    assert ranking.scores.max() < 4  # the damped bias has no taste


def test_a_profile_without_liked_items_gets_the_most_rated_ones_all_tied():
    model = ImplicitALS().fit(of_dense(np.array([[5, 4, 0, 5], [1, 5, 4, 5], [0, 2, 0, 5.0]])))
    ranking = model.recommend(profiles({1: 2}, n_items=4), 3)
    assert ranking.items[0].tolist() == [3, 0, 2]
    assert ranking.tied.tolist() == [3]


def test_every_rating_is_liked_from_the_minimum_on():
    ratings = random_ratings(3)
    everything = ImplicitALS(ImplicitALSConfig(factors=2, liked_from=0)).fit(ratings)
    same = of_dense(np.where(ratings.matrix().toarray() > 0, 5.0, 0))
    alike = ImplicitALS(ImplicitALSConfig(factors=2)).fit(same)
    assert_array_equal(everything.factors_, alike.factors_)


def test_its_predictions_are_those_of_the_damped_bias():
    ratings = random_ratings(4)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    model, bias = ImplicitALS().fit(ratings), Bias().fit(ratings)
    assert_array_equal(model.predict(None, rows, items), bias.predict(None, rows, items))


def test_a_time_limit_ends_the_training_after_an_iteration():
    ratings = random_ratings(3)
    short = ImplicitALS().fit(ratings, options=RunOptions(max_seconds=0))
    one = ImplicitALS(ImplicitALSConfig(iterations=1)).fit(ratings)
    assert (short.finished_, one.finished_) == (False, True)
    assert_array_equal(short.factors_, one.factors_)


@pytest.mark.parametrize(
    "wrong",
    [{"factors": 0}, {"iterations": 0}, {"ridge": 0.0}, {"alpha": -1.0}, {"liked_from": 2.0}],
    ids=str,
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        ImplicitALS(ImplicitALSConfig(**wrong)).fit(random_ratings(0))
