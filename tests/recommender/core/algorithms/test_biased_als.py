import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.biased_als import BiasedALS
from recommender.core.configs.factors import BiasedALSConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import HALF_STARS, of_dense, random_ratings


class TestBiasedALS(SystemContract):
    system = "biased-als"


def ridge_rows(left, known, others, ridge):
    """The vectors of the rows of a dense matrix by least squares over its known cells."""
    found = np.zeros((len(left), others.shape[1]))
    for row in np.flatnonzero(known.any(axis=1)):
        chosen = others[known[row]]
        penalty = np.sqrt(ridge * len(chosen)) * np.eye(others.shape[1])
        right = np.append(left[row, known[row]], np.zeros(len(penalty)))
        found[row] = np.linalg.lstsq(np.vstack([chosen, penalty]), right)[0]
    return found


def test_predictions_are_those_of_least_squares_in_turn():
    ratings = random_ratings(3, n_users=20, n_items=12)
    config = BiasedALSConfig(factors=3, iterations=4, ridge=0.2)
    model = BiasedALS(config).fit(ratings, options=RunOptions(seed=7))
    stars, pairs = ratings.matrix().toarray(), np.divmod(np.arange(20 * 12), 12)
    terms = model.bias_.grid(ratings.matrix())
    left, known = stars - terms, stars > 0
    items = np.random.default_rng(7).normal(scale=config.spread, size=(12, 3))
    for _ in range(4):
        users = ridge_rows(left, known, items, config.ridge)
        items = ridge_rows(left.T, known.T, users, config.ridge)
    users_of_last = ridge_rows(left, known, items, config.ridge)
    wanted = HALF_STARS.clip(terms + users_of_last @ items.T)
    assert_allclose(model.predict(None, *pairs).reshape(20, 12), wanted, atol=1e-9)
    errors = (left - users @ items.T)[known]
    assert model.train_rmse_ == pytest.approx(np.sqrt(np.mean(errors**2)))


def test_a_huge_ridge_leaves_the_damped_bias():
    ratings = random_ratings(4)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    model, bias = BiasedALS(BiasedALSConfig(ridge=1e9)).fit(ratings), Bias().fit(ratings)
    assert_allclose(model.predict(None, rows, items), bias.predict(None, rows, items), atol=1e-6)


def test_training_users_and_the_same_profiles_get_the_same_predictions():
    ratings = random_ratings(5)
    model, pairs = BiasedALS().fit(ratings), np.divmod(np.arange(12 * 9), 9)
    assert_array_equal(model.predict(None, *pairs), model.predict(ratings.matrix(), *pairs))


def test_the_loss_falls_in_every_iteration():
    model = BiasedALS(BiasedALSConfig(factors=2, ridge=1e-6)).fit(
        of_dense(np.random.default_rng(0).integers(1, 6, (12, 9)).astype(float))
    )
    assert np.all(np.diff([loss for _, loss in model.loss_curve_]) < 1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"factors": 0},
        {"iterations": 0},
        {"ridge": 0.0},
        {"spread": 0.0},
        {"user_damping": -1.0},
        {"item_damping": -1.0},
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        BiasedALS(BiasedALSConfig(**wrong)).fit(random_ratings(0))
