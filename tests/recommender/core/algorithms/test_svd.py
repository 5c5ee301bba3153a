import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.svd import SVD
from recommender.core.algorithms.svdpp import SVDpp
from recommender.core.configs.factors import SVDConfig, SVDppConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.runs import Progress, RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import random_ratings

SMALL = {"factors": 3, "epochs": 4, "learning_rate": 0.05, "decay": 0.9, "ridge": 0.1}


class TestSVD(SystemContract):
    system = "svd"


def by_hand(ratings, config, seed, implicit):
    """Surprise's SVD and SVDpp as printed, one rating after another; predictions of all pairs."""
    rng, n_users, n_items = np.random.default_rng(seed), ratings.n_users, ratings.n_items
    P, Q, Y = (
        rng.normal(scale=config.spread, size=(n, config.factors))
        for n in (n_users, n_items, n_items)
    )
    mean, bu, bi = ratings.values.mean(dtype=float), np.zeros(n_users), np.zeros(n_items)
    rated = [ratings.indices[a:b] for a, b in zip(ratings.indptr, ratings.indptr[1:], strict=False)]

    def given(u):
        return Y[rated[u]].sum(axis=0) / np.sqrt(max(1, len(rated[u]))) * implicit

    for done in range(config.epochs):
        rate, ridge = config.learning_rate * config.decay**done, config.ridge
        for u, i, r in zip(ratings.rows(), ratings.indices, ratings.values, strict=True):
            p, q, y = P[u].copy(), Q[i].copy(), given(u)
            error = r - mean - bu[u] - bi[i] - q @ (p + y)
            bu[u] += rate * (error - ridge * bu[u])
            bi[i] += rate * (error - ridge * bi[i])
            P[u] += rate * (error * q - ridge * p)
            Q[i] += rate * (error * (p + y) - ridge * q)
            Y[rated[u]] += rate * (error * q / np.sqrt(len(rated[u])) - ridge * Y[rated[u]])
    vectors = P + np.array([given(u) for u in range(n_users)])
    return mean + bu[:, None] + bi + vectors @ Q.T


@pytest.mark.parametrize("kind", [SVD, SVDpp])
def test_predictions_are_those_of_the_plain_loop(kind):
    ratings = random_ratings(3, n_users=15, n_items=11, share=0.5)
    config = (SVDppConfig if kind.implicit else SVDConfig)(**SMALL)
    model = kind(config).fit(ratings, options=RunOptions(seed=5))
    rows, items = ratings.rows(), ratings.indices.astype(np.int64)
    expected = by_hand(ratings, config, 5, kind.implicit)[rows, items]
    found = model._predict(model.profiles_, rows, items, training=True)
    assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("kind", [SVD, SVDpp])
def test_a_profile_that_was_not_trained_on_minimises_the_loss(kind):
    ratings = random_ratings(4, n_users=20, n_items=12, share=0.6)
    model = kind((SVDppConfig if kind.implicit else SVDConfig)(**SMALL)).fit(ratings)
    profile = ratings.matrix()[[2]]
    offsets, vectors = model._users(profile, None)
    rated, ridge = profile.indices, model.config.ridge
    given = vectors[0] - model._given(profile)[0]
    errors = profile.data - model.bias_.mean - model.item_offsets_[rated] - offsets[0]
    errors = errors - model.item_factors_[rated] @ vectors[0]
    # The gradient of the squared errors plus their penalty is zero.
    assert errors.sum() == pytest.approx(ridge * len(rated) * offsets[0])
    assert_allclose(model.item_factors_[rated].T @ errors, ridge * len(rated) * given, atol=1e-9)


def test_the_training_error_falls_and_ends_the_loss_curve():
    ratings = random_ratings(3, n_users=15, n_items=11, share=0.5)
    model = SVD(SVDConfig(factors=3, epochs=6)).fit(ratings)
    losses = [loss for _, loss in model.loss_curve_]
    assert np.all(np.diff(losses) < 0)
    assert model.loss_curve_[-1] == (6 * ratings.n_ratings, model.train_rmse_)


def test_an_item_without_ratings_gets_the_damped_bias_of_the_user():
    ratings = random_ratings(3, n_users=15, n_items=11, share=0.5)
    ratings = ratings.select(ratings.indices != 4)
    model, rows = SVD(SVDConfig(**SMALL)).fit(ratings), np.flatnonzero(np.diff(ratings.indptr))
    items = np.full(len(rows), 4)
    damped = BiasTerms.learn(ratings.matrix(), BiasConfig()).predict(ratings.matrix(), rows, items)
    assert_array_equal(model.predict(None, rows, items), damped)


def test_a_time_limit_ends_the_training_after_a_whole_pass():
    model = SVD().fit(random_ratings(3), options=RunOptions(max_seconds=0))
    assert not model.finished_
    assert len(model.loss_curve_) == 1


def test_progress_counts_passes():
    seen: list[Progress] = []
    SVD(SVDConfig(**SMALL)).fit(random_ratings(3), options=RunOptions(progress=seen.append))
    assert [(step.done, step.total) for step in seen[1:]] == [(0, 4), (1, 4), (2, 4), (3, 4)]
    assert seen[-1].loss is not None


def test_a_training_that_diverges_is_refused():
    config = SVDConfig(factors=3, learning_rate=0.9, spread=100.0)
    with pytest.raises(FitError, match="diverged"):
        SVD(config).fit(random_ratings(3))


@pytest.mark.parametrize(
    "wrong",
    [
        {"factors": 0},
        {"epochs": 0},
        {"learning_rate": 0.0},
        {"decay": 1.5},
        {"ridge": 0.0},
        {"spread": 0.0},
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        SVD(SVDConfig(**wrong)).fit(random_ratings(0))
