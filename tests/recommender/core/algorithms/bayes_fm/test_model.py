from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recommender.core.algorithms.bayes_fm.model import BayesFM
from recommender.core.configs.factors import BayesFMConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, profiles, random_ratings

DAY = 86_400
FEW = {"factors": 3, "draws": 12, "burn_in": 4, "keep_every": 2}


class TestBayesFM(SystemContract):
    system = "bayes-fm"
    config = BayesFMConfig(factors=8, draws=60, burn_in=30)


class TestBayesFMWithDates(SystemContract):
    system = "bayes-fm"
    config = BayesFMConfig(factors=8, draws=60, burn_in=30, dates=True)

    @classmethod
    def fitted(cls, ratings, seed=0):
        if ratings.timestamps is None:
            ratings = replace(ratings, timestamps=np.arange(ratings.n_ratings) * 40_000)
        return super().fitted(ratings, seed)


def test_the_kept_draws_are_those_after_the_burn_in():
    model = BayesFM(BayesFMConfig(**FEW)).fit(random_ratings(3))
    assert model.priors_.shape == (2, 4, 4)  # draws 4, 6, 8 and 10, of 3 factors and an offset
    assert model.item_factors_.shape == (9, 4 * 3)


def test_a_training_that_ends_within_the_burn_in_keeps_its_first_draw():
    options = RunOptions(max_seconds=0)
    model = BayesFM(BayesFMConfig(**FEW)).fit(random_ratings(3), options=options)
    assert not model.finished_
    assert model.priors_.shape == (2, 1, 4)


def test_a_profile_gets_the_expected_vector_given_the_items_of_each_draw():
    ratings = random_ratings(3, n_users=20, n_items=12)
    model = BayesFM(BayesFMConfig(**FEW)).fit(ratings)
    profile = profiles({1: 5, 4: 1, 7: 4}, n_items=12)
    kept, rated = model.priors_.shape[1], profile.indices
    wanted = np.zeros(12)
    for draw in range(kept):
        part = slice(3 * draw, 3 * draw + 3)
        items = kept * model.item_factors_[:, part].astype(float)
        given = model.implicit_factors_[rated, part].astype(float).sum(axis=0) / np.sqrt(3)
        given_offset = model.implicit_offsets_[rated].sum() / np.sqrt(3)
        static = model.bias_.mean + model.item_offsets_ + given_offset + items @ given
        precisions, means = model.priors_[:, draw]
        # Least squares around the means of users, each square times its precision.
        root = np.diag(np.sqrt(precisions))
        design = np.column_stack([np.ones(12), items])
        left = np.vstack([design[rated], root])
        right = np.append(profile.data - static[rated], root @ means)
        own = np.linalg.lstsq(left, right)[0]
        wanted += (static + design @ own) / kept
    found = model._predict(profile, np.zeros(12, int), np.arange(12), training=False)
    known = model.counts_ > 0
    assert_allclose(found[known], wanted[known], atol=1e-6)


@pytest.fixture(scope="module")
def of_moods():
    """Users who rate half of the items at one sitting, two stars lower."""
    stars = np.random.default_rng(0).integers(3, 6, (30, 24)).astype(float)
    users, items = np.divmod(np.arange(30 * 24), 24)
    low = (items + users) % 2 == 0
    ratings = of_dense(np.where(low.reshape(30, 24), stars - 2, stars))
    return replace(ratings, timestamps=10**9 + users * 10 * DAY + np.where(low, 0, 5 * DAY))


def test_ratings_of_one_sitting_have_an_offset_in_common(of_moods):
    left = of_moods.select(of_moods.indices != 0)
    model = BayesFM(BayesFMConfig(dates=True, factors=2, draws=60, burn_in=20)).fit(left)
    users, items = np.arange(30), np.ones(30, int)
    low, high = (
        model.predict(None, users, items, 10**9 + users * 10 * DAY + after)
        for after in (0, 5 * DAY)
    )
    assert np.mean(high - low) > 1


def test_times_without_training_ratings_are_like_no_times_but_for_the_items_period(of_moods):
    model = BayesFM(BayesFMConfig(dates=True, **FEW)).fit(of_moods)
    users, items = np.divmod(np.arange(30 * 24), 24)
    for training in (True, False):
        pairs = model.profiles_, users, items
        static = model._predict(*pairs, training=training)
        late = model._predict(*pairs, training=training, times=np.full(720, 10**10))
        assert_allclose(late - static, model.period_offsets_[items, -1], atol=1e-9)


def test_dates_work_without_sittings(of_moods):
    model = BayesFM(BayesFMConfig(dates=True, sittings=(), **FEW)).fit(of_moods)
    users, times = np.arange(30), of_moods.timestamps[:30]
    assert np.isfinite(model.predict(None, users, users % 24, times)).all()


def test_dates_need_time_stamps():
    assert BayesFMConfig().needs == ()
    with pytest.raises(ConfigurationError, match="timestamps"):
        BayesFM(BayesFMConfig(dates=True)).fit(of_dense(np.ones((3, 3))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"factors": 0},
        {"draws": 0},
        {"burn_in": 300},
        {"keep_every": 0},
        {"spread": 0.0},
        {"periods": 0},
        {"sittings": (60, 0)},
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        BayesFM(BayesFMConfig(**wrong)).fit(random_ratings(0))
