import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recommender.core.algorithms.base import seeded_hash
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.errors import ConfigurationError
from recommender.core.systems import BiasConfig, RunOptions, UserKNNConfig
from recommender.core.systems import system as system_of
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings
from tests.recommender.core.test_neighbours import by_hand


class TestUserKNN(SystemContract):
    system = "user-knn"

    def test_there_is_no_training_error(self, any_model):
        assert any_model.train_rmse_ is None


class TestLenskitPreset(SystemContract):
    system = "user-knn"
    config = system_of("user-knn").presets["lenskit"]


class TestSurprisePreset(SystemContract):
    system = "user-knn"
    config = system_of("user-knn").presets["surprise"]

    def check_taste(self, loved, hated):
        """Over common movies alone nobody is opposed to anybody: it knows the order, no more."""
        assert loved.mean() > hated.mean()

    def test_an_empty_profile_gets_the_damped_bias_of_an_unknown_user(self, any_model, any_ratings):
        """As in Surprise, it gets the mean of all ratings instead."""
        found = any_model.predict(profiles({}, n_items=25), np.zeros(25, int), np.arange(25))
        assert_allclose(found, any_ratings.values.mean(), atol=1e-6)


class TestPaperLiteralPreset(SystemContract):
    system = "user-knn"
    config = system_of("user-knn").presets["paper-literal"]

    def check_taste(self, loved, hated):
        """A sum over all users, divided by nothing, is far above the scale for every movie."""
        assert loved.min() == hated.min() == 5


def predicted_by_hand(dense, row, item, k, fallback):
    users, similarities = by_hand(dense.tolist(), dense[row].tolist(), own=row)
    raters = [
        (similarity, dense[user, item])
        for user, similarity in zip(users, similarities, strict=True)
        if dense[user, item]
    ][:k]
    if not raters:
        return fallback[row, item]
    return sum(s * r for s, r in raters) / sum(s for s, _ in raters)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 5]))
def test_predictions_are_those_of_a_naive_loop(seed, k):
    ratings = random_ratings(seed, n_users=14, n_items=6, share=0.5)
    dense = ratings.matrix().toarray().astype(float)
    fallback = BiasTerms.learn(ratings.matrix(), BiasConfig()).grid(ratings.matrix())
    model = UserKNN(UserKNNConfig(k=k)).fit(ratings)
    rows, items = np.divmod(np.arange(14 * 6), 6)
    wanted = [
        predicted_by_hand(dense, row, item, k, fallback)
        for row, item in zip(rows, items, strict=True)
    ]
    assert_allclose(model.predict(None, rows, items), HALF_STARS.clip(wanted), atol=2e-9)


def test_the_own_rating_of_a_training_user_is_not_used():
    dense = np.array([[5, 5, 0], [5, 1, 0], [4, 1, 1.0]])
    model = UserKNN(UserKNNConfig(k=1)).fit(of_dense(dense))
    assert model.predict(None, np.array([0]), np.array([1])) == 1


def test_equal_stars_give_these_stars_exactly():
    rng = np.random.default_rng(0)
    dense = rng.integers(1, 11, (30, 6)) / 2
    dense[:, 5] = 3.5
    dense[0, 5] = 0
    model = UserKNN().fit(of_dense(dense))
    assert model.predict(None, np.array([0]), np.array([5])) == 3.5


def best_of(dense, profile, seed=0, k=1):
    config = UserKNNConfig(k=k)
    model = UserKNN(config).fit(of_dense(dense), options=RunOptions(seed=seed))
    ranking = model.recommend(profiles(profile, n_items=dense.shape[1]), 1)
    return ranking.items[0, 0], ranking.tied[0]


def test_of_tied_movies_the_one_backed_by_more_similarity_wins():
    near, far = [5, 5, 0, 5.0], [5, 0, 5, 0.0]
    assert best_of(np.array([near, far]), {0: 5, 1: 5}) == (3, 2)


def test_then_the_one_with_more_ratings_wins():
    # user 0 rated both movies 2 and 3; user 1, unlike the profile, adds a rating to movie 3
    dense = np.array([[5, 5, 5, 5.0], [0, 0, 0, 2.0]])
    assert best_of(dense, {0: 5, 1: 5}) == (3, 2)


def test_then_a_hash_that_depends_on_the_seed_decides():
    dense = np.full((1, 30), 5.0)
    chosen = {seed: best_of(dense, {0: 5}, seed=seed) for seed in range(8)}
    for seed, (item, tied) in chosen.items():
        assert tied == 29
        assert item == 1 + np.argmin(seeded_hash(30, seed)[1:])
    assert len({item for item, _ in chosen.values()}) > 4


@pytest.mark.parametrize(
    "config",
    [
        UserKNNConfig(k=0),
        UserKNNConfig(minimum_overlap=0),
        UserKNNConfig(shrinkage=-1),
        UserKNNConfig(similarity="taxicab"),
        UserKNNConfig(neighbours="next door"),
        UserKNNConfig(combine="median"),
    ],
    ids=str,
)
def test_a_configuration_that_cannot_be_used_is_refused(config):
    with pytest.raises(ConfigurationError, match="user-knn cannot use"):
        UserKNN(config).fit(random_ratings(0))
