from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import minimize

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.blend import Blend, blend_weights
from recommender.core.configs.blend import BlendConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import Progress, RunOptions
from recommender.core.systems import system
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, random_ratings

PAIR = ("biased-als:default", "item-knn:lenskit")


class TestBlend(SystemContract):
    system = "blend"
    config = BlendConfig(("svd:default", "biased-als:default"))


class TestBlendWithDates(SystemContract):
    system = "blend"
    config = BlendConfig(("biased-als:default", "timesvdpp:default"))

    @classmethod
    def fitted(cls, ratings, seed=0):
        if ratings.timestamps is None:
            ratings = replace(ratings, timestamps=np.arange(ratings.n_ratings) * 40_000)
        return super().fitted(ratings, seed)


def test_weights_minimise_the_penalised_error_and_add_up_to_one():
    rng = np.random.default_rng(0)
    ratings = rng.normal(3, 1, 40)
    predicted = ratings[:, None] + rng.normal(size=(40, 3)) * [0.5, 1, 2]

    def loss(free):
        weights = np.append(free, 1 - free.sum())
        return np.sum((ratings - predicted @ weights) ** 2) + 4 * np.sum((weights - 1 / 3) ** 2)

    best = minimize(loss, np.zeros(2), tol=1e-12).x
    weights = blend_weights(predicted, ratings, 4.0)
    assert_allclose(weights, np.append(best, 1 - best.sum()), atol=1e-6)
    assert_allclose(blend_weights(predicted + 7, ratings + 7, 4.0), weights, atol=1e-12)


def test_a_huge_ridge_makes_the_weights_equal():
    rng = np.random.default_rng(0)
    assert_allclose(blend_weights(rng.normal(size=(9, 4)), np.zeros(9), 1e12), 0.25, atol=1e-9)


def test_it_predicts_the_weighted_sum_of_members_trained_on_all_ratings():
    ratings = random_ratings(3, n_users=20, n_items=12)
    model, pairs = Blend(BlendConfig(PAIR)).fit(ratings), np.divmod(np.arange(20 * 12), 12)
    total = np.zeros(20 * 12)
    for weight, member in zip(model.weights_, model._untrained(), strict=True):
        alone = member.fit(ratings)
        total += weight * alone._predict(alone.profiles_, *pairs, training=True)
    assert_array_equal(model.predict(None, *pairs), ratings.scale.clip(total))


def test_weights_are_learned_from_ratings_that_the_members_did_not_see():
    ratings = random_ratings(3, n_users=30, n_items=20)
    model = Blend(BlendConfig(PAIR, validation="newest", validation_share=0.2)).fit(ratings)
    held = model._slice(ratings, 0)
    assert ratings.timestamps[held].min() > ratings.timestamps[~held].max()
    columns = []
    for member in model._untrained():
        alone = member.fit(ratings.select(~held))
        rows, items = ratings.rows()[held], ratings.indices[held].astype(np.int64)
        columns.append(alone._predict(alone.profiles_, rows, items, training=True))
    wanted = blend_weights(np.column_stack(columns), ratings.values[held], 10.0)
    assert_allclose(model.weights_, wanted, atol=1e-12)


def test_it_asks_a_member_for_no_more_pairs_at_once_than_the_member_takes(monkeypatch):
    asked = []

    class Careful(Bias):
        pairs_at_once = 7

        def _predict(self, profiles, rows, items, **given):
            asked.append(len(rows))
            return super()._predict(profiles, rows, items, **given)

    model = Blend(BlendConfig(PAIR))
    monkeypatch.setattr(model, "_untrained", lambda: [Careful(), Bias()])
    ratings = random_ratings(3, n_users=30, n_items=20)
    model.fit(ratings)
    assert sum(asked) == model._slice(ratings, 0).sum() > 7
    assert max(asked) == model.pairs_at_once == 7


def test_it_takes_its_members_to_the_device():
    model = Blend(BlendConfig(("bias:default", "autoencoder:paper")))
    model.members_ = model._untrained()
    seen = []
    for member in model.members_:
        member.to = seen.append
    model.to("cuda")
    assert seen == ["cuda", "cuda"]


def test_it_needs_what_its_members_need():
    assert BlendConfig(PAIR).needs == ()
    assert not BlendConfig(PAIR).uses_dates
    dated = BlendConfig((*PAIR, "timesvdpp:default", "cmf:people"))
    assert dated.needs == ("timestamps", "genres", "people")
    assert dated.uses_dates


def test_progress_rises_over_both_trainings_of_all_members():
    seen: list[Progress] = []
    Blend(BlendConfig(PAIR)).fit(random_ratings(3), options=RunOptions(progress=seen.append))
    shares = [progress.share for progress in seen[1:]]
    assert shares == sorted(shares)
    assert shares[-1] >= 0.75


def test_a_time_limit_is_shared_by_the_members():
    model = Blend(BlendConfig(PAIR)).fit(random_ratings(3), options=RunOptions(max_seconds=0))
    assert not model.finished_


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ((), "members"),
        (("svd",), "'svd' names no preset of svd"),
        (("oracle:default",), "no system 'oracle'"),
        (("popularity:default",), "popularity:default of the blend predicts no ratings"),
    ],
)
def test_impossible_members_are_refused(members, words):
    with pytest.raises(ConfigurationError, match=words):
        Blend(BlendConfig(members)).fit(of_dense(np.ones((4, 4))))


@pytest.mark.parametrize("wrong", [{"validation_share": 1.0}, {"ridge": 0.0}], ids=str)
def test_an_impossible_configuration_is_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Blend(BlendConfig(PAIR, **wrong)).fit(random_ratings(0))


@pytest.mark.parametrize("preset", ["default", "dates"])
def test_the_members_of_every_preset_predict_ratings(preset):
    config = system("blend").presets[preset]
    assert config.uses_dates == (preset == "dates")
    assert all(member.ranks_by_rating for member in Blend(config)._untrained())
