import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms import ease
from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.ease import Ease
from recommender.core.configs.liked_items import EaseConfig
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, profiles, random_ratings


def by_regression(liked, ridge):
    """B (n, n): the ridge regression of each item on all others, without the closed form."""
    n = liked.shape[1]
    weights = np.zeros((n, n))
    for item in range(n):
        others = np.delete(np.arange(n), item)
        x = liked[:, others]
        normal = x.T @ x + ridge * np.eye(n - 1)
        weights[others, item] = np.linalg.solve(normal, x.T @ liked[:, item])
    return weights


def by_inversion(liked, ridge):
    """Steck's closed form with a general inverse."""
    inverse = np.linalg.inv(liked.T @ liked + ridge * np.eye(liked.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


def weights_of(model):
    """B over all items."""
    whole = np.zeros((model.n_items_, model.n_items_))
    whole[np.ix_(model.items_, model.items_)] = model.weights_
    return whole


class TestEase(SystemContract):
    system = "ease"
    is_personal = False

    def ranked_by(self, model, rows, items):
        liked = (model.profiles_.toarray() >= 4).astype(float)
        scores = liked @ by_regression(liked, 200.0)
        largest = np.abs(scores).max(axis=1)
        return np.round(scores / np.where(largest > 0, largest, 1)[:, None], 6)[rows, items]


@pytest.mark.parametrize("oracle", [by_regression, by_inversion])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), ridge=st.sampled_from([0.5, 20.0, 500.0]))
def test_the_weights_are_those_of_the_definition(oracle, seed, ridge):
    ratings = random_ratings(seed, n_users=25, n_items=14)
    liked = (ratings.matrix().toarray() >= 4).astype(float)
    model = Ease(EaseConfig(ridge=ridge)).fit(ratings)
    assert_allclose(weights_of(model), oracle(liked, ridge), atol=1e-6)


def test_the_gram_matrix_does_not_depend_on_its_blocks(monkeypatch):
    ratings = random_ratings(5, n_users=25, n_items=14)
    whole = Ease().fit(ratings).weights_
    monkeypatch.setattr(ease, "COLUMNS", 3)
    assert_array_equal(Ease().fit(ratings).weights_, whole)


def test_the_best_item_is_one_that_people_of_the_same_taste_liked():
    dense = np.ones((40, 12))
    dense[::2, :6] = dense[1::2, 6:] = 5  # everyone likes the items of one half
    dense[np.arange(40), np.arange(40) % 12] = 0
    model = Ease(EaseConfig(ridge=1)).fit(of_dense(dense))
    ranking = model.recommend(profiles({0: 5, 1: 5}, {8: 4, 0: 1}, n_items=12), 4)
    assert sorted(ranking.items[0]) == [2, 3, 4, 5]
    assert set(ranking.items[1]) < {6, 7, 9, 10, 11}
    assert ranking.scores.max() < 4  # the damped bias has no taste


@pytest.mark.parametrize(
    ("scale", "liked_from", "least"),
    [
        (Scale(1, 5, 1), 0.75, 4),
        (Scale(0.5, 5, 0.5), 0.75, 4),
        (Scale(0.1, 1, 0.1), 2 / 3, 0.7),
        (Scale(1, 5, 1), 0, 1),
        (Scale(1, 1, 1), 0.75, 1),
    ],
    ids=str,
)
def test_liked_ratings_begin_at_a_place_of_the_scale(scale, liked_from, least):
    rng = np.random.default_rng(0)
    steps = rng.integers(0, len(scale.levels()) + 1, (30, 8))
    ratings = of_dense(np.append(scale.levels(), 0)[steps], scale)
    liked = (ratings.matrix().toarray() >= np.float32(least)).astype(float)
    model = Ease(EaseConfig(ridge=3, liked_from=liked_from)).fit(ratings)
    assert_allclose(weights_of(model), by_inversion(liked, 3), atol=1e-6)


def test_a_profile_without_liked_items_gets_the_most_rated_ones_all_tied():
    dense = np.array([[5, 4, 0, 5], [1, 5, 4, 5], [0, 2, 0, 5.0]])
    model = Ease().fit(of_dense(dense))
    ranking = model.recommend(profiles({}, {1: 2}, n_items=4), 3)
    assert ranking.items[0, 2] == 0
    assert set(ranking.items[0, :2]) == {1, 3}
    assert ranking.items[1].tolist() == [3, 0, 2]
    assert ranking.tied.tolist() == [4, 3]


def test_data_without_any_liked_item_are_ranked_by_number_of_ratings():
    model = Ease().fit(of_dense(np.array([[1, 2, 0], [1, 2, 3], [0, 2, 0.0]])))
    assert model.weights_.shape == (0, 0)
    assert model.recommend(profiles({}, n_items=3), 3).items[0].tolist() == [1, 0, 2]


def test_only_liked_items_have_weights_in_single_precision():
    model = Ease().fit(of_dense(np.array([[5, 4, 1, 0], [1, 0, 2, 4.0]])))
    assert model.to_arrays()["ease.items"].tolist() == [0, 1, 3]
    assert model.to_arrays()["ease.weights"].dtype == np.float32


def test_its_predictions_are_those_of_the_damped_bias():
    ratings = random_ratings(4)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    model, bias = Ease().fit(ratings), Bias().fit(ratings)
    assert_array_equal(model.predict(None, rows, items), bias.predict(None, rows, items))


def test_more_liked_items_than_allowed_are_refused_with_the_memory_that_they_need():
    ratings = of_dense(np.full((2, 30_000), 5.0))
    with pytest.raises(ConfigurationError, match=r"10.8 GB .* 30,000 items .* most_items=20000"):
        Ease().fit(ratings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ridge": 0.0},
        {"liked_from": 1.5},
        {"liked_from": -0.1},
        {"most_items": 0},
        {"item_damping": -1.0},
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Ease(EaseConfig(**wrong)).fit(random_ratings(0))
