from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.timesvdpp import TimeSVDpp
from recommender.core.configs.factors import TimeSVDppConfig
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, random_ratings

DAY = 86_400
SMALL = TimeSVDppConfig(
    factors=3, epochs=3, learning_rate=0.05, periods=4, time_ridge=0.2, spread=0.3
)


def dated(ratings: Ratings, seed: int = 0) -> Ratings:
    """The same ratings, given on some of twelve days."""
    times = np.random.default_rng(seed).integers(0, 12 * DAY, ratings.n_ratings)
    return replace(ratings, timestamps=1_000_000_000 + times)


class TestTimeSVDpp(SystemContract):
    system = "timesvdpp"

    @classmethod
    def fitted(cls, ratings, seed=0):
        return super().fitted(ratings if ratings.timestamps is not None else dated(ratings), seed)


def by_hand(ratings, config, seed):
    """Koren's rule as a plain loop; a function that predicts (user, item, time)."""
    rng, n_users, n_items = np.random.default_rng(seed), ratings.n_users, ratings.n_items
    P, Q, Y = (
        rng.normal(scale=config.spread, size=(n, config.factors))
        for n in (n_users, n_items, n_items)
    )
    times, rows = ratings.timestamps, ratings.rows()
    first, span = times.min(), times.max() - times.min()
    mean, bu, bi = ratings.values.mean(dtype=float), np.zeros(n_users), np.zeros(n_items)
    rated = [ratings.indices[rows == u] for u in range(n_users)]
    mean_time = [times[rows == u].mean() if len(rated[u]) else 0 for u in range(n_users)]
    by_period = np.zeros((n_items, config.periods))
    by_day = {(u, t // DAY): 0.0 for u, t in zip(rows, times, strict=True)}
    drift_offset, drift = np.zeros(n_users), np.zeros((n_users, config.factors))

    def terms(u, i, t):
        period = min(config.periods - 1, max(0, int((t - first) / span * config.periods)))
        share = (t - mean_time[u]) / span
        given = Y[rated[u]].sum(axis=0) / np.sqrt(max(1, len(rated[u])))
        return period, np.sign(share) * abs(share) ** config.power, given

    def predict(u, i, t):
        period, dev, given = terms(u, i, t)
        offsets = mean + bu[u] + drift_offset[u] * dev + by_day.get((u, t // DAY), 0)
        return offsets + bi[i] + by_period[i, period] + Q[i] @ (P[u] + drift[u] * dev + given)

    for _ in range(config.epochs):
        for u, i, r, t in zip(rows, ratings.indices, ratings.values, times, strict=True):
            rate, ridge, moving = config.learning_rate, config.ridge, config.time_ridge
            (period, dev, given), error = terms(u, i, t), r - predict(u, i, t)
            p, q, a = P[u].copy(), Q[i].copy(), drift[u].copy()
            bu[u] += rate * (error - ridge * bu[u])
            bi[i] += rate * (error - ridge * bi[i])
            by_period[i, period] += rate * (error - moving * by_period[i, period])
            by_day[u, t // DAY] += rate * (error - moving * by_day[u, t // DAY])
            drift_offset[u] += rate * (error * dev - moving * drift_offset[u])
            P[u] += rate * (error * q - ridge * p)
            Q[i] += rate * (error * (p + a * dev + given) - ridge * q)
            drift[u] += rate * (error * q * dev - moving * a)
            Y[rated[u]] += rate * (error * q / np.sqrt(len(rated[u])) - ridge * Y[rated[u]])
    return predict, mean_time


@pytest.fixture(scope="module")
def ratings():
    return dated(random_ratings(3, n_users=15, n_items=11, share=0.5))


@pytest.fixture(scope="module")
def model(ratings):
    return TimeSVDpp(SMALL).fit(ratings, options=RunOptions(seed=5))


def test_predictions_are_those_of_the_plain_loop(ratings, model):
    predict, mean_time = by_hand(ratings, SMALL, 5)
    rows, items = ratings.rows(), ratings.indices.astype(np.int64)
    days = np.random.default_rng(1).integers(-3, 16, len(rows))
    times = np.where(days % 2 == 0, ratings.timestamps, 1_000_000_000 + days * DAY)
    for given, when in ((times, times), (None, np.asarray(mean_time)[rows])):
        wanted = [predict(*pair) for pair in zip(rows, items, when, strict=True)]
        found = model._predict(model.profiles_, rows, items, training=True, times=given)
        assert_allclose(found, wanted, atol=1e-9)


def test_a_day_without_training_ratings_has_no_offset(model, ratings):
    user = int(np.argmax(np.diff(ratings.indptr)))
    times = ratings.timestamps[ratings.rows() == user]
    rows, unseen = np.full(2, user), times[0] + 365 * DAY
    found = model._by_day(rows, np.array([times[0], unseen]))
    assert found[0] != 0
    assert found[1] == 0


def test_another_profile_gets_the_items_period_but_no_day(model, ratings):
    matrix, times = ratings.matrix(), ratings.timestamps
    rows, items = ratings.rows(), ratings.indices.astype(np.int64)
    static = model._predict(matrix, rows, items, training=False)
    dated_too = model._predict(matrix, rows, items, training=False, times=times)
    by_period = model.period_offsets_[items, model._periods(times)]
    assert_allclose(dated_too - static, by_period, atol=1e-12)


def test_a_day_of_low_ratings_is_learned():
    stars = np.random.default_rng(0).integers(1, 6, (8, 12)).astype(float)
    stars[:, 6:] = np.maximum(1, stars[:, 6:] - 2)
    ratings = of_dense(stars)
    days = np.where(ratings.indices < 6, 0, 30)
    ratings = replace(ratings, timestamps=days.astype(np.int64) * DAY)
    model = TimeSVDpp(TimeSVDppConfig(time_ridge=0.02)).fit(ratings)
    rows, items = np.arange(8), np.zeros(8, int)
    first, last = (model.predict(None, rows, items, np.full(8, day * DAY)) for day in (0, 30))
    assert first.mean() > last.mean() + 0.5


def test_without_time_stamps_it_is_refused():
    with pytest.raises(ConfigurationError, match="timestamps"):
        TimeSVDpp().fit(of_dense(np.ones((3, 3))))


def test_ratings_of_one_moment_are_enough():
    ratings = replace(random_ratings(3), timestamps=None)
    ratings = replace(ratings, timestamps=np.zeros(ratings.n_ratings, np.int64))
    model = TimeSVDpp(SMALL).fit(ratings)
    assert_array_equal(model.span_, [0, 0])
    assert np.isfinite(model.predict(None, np.array([0]), np.array([0]))).all()


@pytest.mark.parametrize(
    "wrong", [{"periods": 0}, {"power": 0.0}, {"time_ridge": 0.0}, {"factors": 0}], ids=str
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        TimeSVDpp(TimeSVDppConfig(**wrong)).fit(random_ratings(0))
