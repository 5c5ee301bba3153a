import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.npmf import NPMF, Gaussian
from recommender.core.configs.probabilistic import NPMFConfig
from recommender.core.errors import ConfigurationError
from recommender.core.metrics import rmse
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import profiles, random_ratings


class TestNPMF(SystemContract):
    system = "npmf"


@pytest.fixture
def ratings():
    return random_ratings(2, n_users=40, n_items=8)


@pytest.fixture
def start(ratings):
    """Any distribution with correlations."""
    rng = np.random.default_rng(5)
    root = rng.normal(size=(8, 8))
    return Gaussian(rng.normal(3, 0.3, 8), root @ root.T / 4 + np.eye(8), 0.6)


def rated(ratings):
    """For each user who rated anything, the rated items and the stars."""
    dense = ratings.matrix().toarray().astype(float)
    return [(np.flatnonzero(row), row[row > 0]) for row in dense if row.any()]


def posterior(model, items, stars):
    """The mean (m) and covariance (m, m) of a user's opinions, by the textbook's formulas."""
    gain = model.covariance[:, items] @ np.linalg.inv(
        model.covariance[np.ix_(items, items)] + model.noise * np.eye(len(items))
    )
    mean = model.mean + gain @ (stars - model.mean[items])
    return mean, model.covariance - gain @ model.covariance[items]


def log_likelihood(model, ratings):
    total = 0.0
    for items, stars in rated(ratings):
        spread = model.covariance[np.ix_(items, items)] + model.noise * np.eye(len(items))
        above = stars - model.mean[items]
        total -= np.linalg.slogdet(2 * np.pi * spread)[1] / 2
        total -= above @ np.linalg.solve(spread, above) / 2
    return total


def test_a_round_is_em_with_every_posterior_formed(ratings, start):
    means, spreads = zip(*(posterior(start, *user) for user in rated(ratings)), strict=True)
    mean = np.mean(means, axis=0)
    above = np.array(means) - mean
    found, _ = start.improved(ratings.matrix())
    assert_allclose(found.mean, mean, atol=1e-10)
    assert_allclose(
        found.covariance, np.mean(spreads, axis=0) + above.T @ above / len(means), atol=1e-10
    )


def test_no_round_lowers_the_likelihood(ratings, start):
    model, found = start, []
    for _ in range(12):
        found.append(log_likelihood(model, ratings))
        model, _ = model.improved(ratings.matrix())
    assert np.all(np.diff(found) > 0)


def test_each_training_rating_is_predicted_from_the_other_ratings(ratings, start):
    expected = []
    for items, stars in rated(ratings):
        for place, item in enumerate(items):
            others = np.arange(len(items)) != place
            expected.append(posterior(start, items[others], stars[others])[0][item])
    assert_allclose(start.improved(ratings.matrix())[1], expected, atol=1e-10)


def test_predictions_are_the_means_of_the_posterior(ratings):
    model = NPMF(NPMFConfig(rounds=4)).fit(ratings)
    items, stars = np.array([1, 4, 6]), np.array([5, 1, 4.5])
    learned = Gaussian(
        model.gaussian_.mean, model.gaussian_.covariance.astype(float), model.config.noise
    )
    unseen = profiles(dict(zip(items.tolist(), stars, strict=True)), n_items=8)
    found = model._predict(unseen, np.zeros(8, int), np.arange(8), training=False)
    assert_allclose(found, posterior(learned, items, stars)[0], atol=1e-9)


def test_the_last_error_of_the_curve_is_the_training_error(ratings):
    model = NPMF(NPMFConfig(rounds=3)).fit(ratings)
    assert [seen for seen, _ in model.loss_curve_] == [ratings.n_ratings * n for n in (1, 2, 3)]
    assert model.loss_curve_[-1][1] == model.train_rmse_
    assert model.loss_curve_[2][1] < model.loss_curve_[0][1]


def test_items_outside_the_distribution_get_the_damped_bias(ratings):
    model, bias = NPMF(NPMFConfig(most_items=3)).fit(ratings), Bias().fit(ratings)
    assert_array_equal(model.kept_, np.sort(np.argsort(-model.counts_, kind="stable")[:3]))
    others = np.setdiff1d(np.arange(8), model.kept_)
    rows, items = np.repeat(np.arange(40), 5), np.tile(others, 40)
    found, covered = model.predict_covered(None, rows, items)
    assert_allclose(found, bias.predict(None, rows, items), atol=1e-12)
    assert not covered.any()


def test_a_long_profile_is_sampled_the_same_way_each_time(ratings):
    model = NPMF(NPMFConfig(most_ratings=3)).fit(ratings, options=RunOptions(seed=4))
    lengths = np.diff(model._sampled(model.profiles_).indptr)
    assert_array_equal(lengths, np.minimum(np.diff(ratings.indptr), 3))
    rows, items = np.divmod(np.arange(40 * 8), 8)
    again = model.predict(ratings.matrix(), rows, items)
    assert_array_equal(again, model.predict(None, rows, items))


def test_equal_ratings_can_be_learned():
    ratings = random_ratings(2)
    ratings.values[:] = 4
    model = NPMF().fit(ratings)
    everything = np.divmod(np.arange(12 * 9), 9)
    assert rmse(np.full(12 * 9, 4), model.predict(None, *everything)) < 0.01


def test_a_time_limit_ends_the_training_after_a_round(ratings):
    model = NPMF().fit(ratings, options=RunOptions(max_seconds=0))
    assert not model.finished_
    assert len(model.loss_curve_) == 1


@pytest.mark.parametrize(
    "wrong", [{"rounds": 0}, {"noise": 0.0}, {"most_items": 0}, {"most_ratings": 0}], ids=str
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        NPMF(NPMFConfig(**wrong)).fit(random_ratings(0))
