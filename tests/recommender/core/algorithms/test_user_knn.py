import numpy as np
import pytest

from recommender.core.algorithms.base import seeded_hash
from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from recommender.core.systems import system as system_of
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, profiles, random_ratings


class TestUserKNN(SystemContract):
    system = "user-knn"

    def test_it_has_no_training_error(self, any_model):
        assert any_model.train_rmse_ is None


class TestLenskitPreset(SystemContract):
    system = "user-knn"
    config = system_of("user-knn").presets["lenskit"]


class TestSurprisePreset(SystemContract):
    system = "user-knn"
    config = system_of("user-knn").presets["surprise"]

    def check_taste(self, loved, hated):
        """Cosines over common items are never negative, so only the order is right."""
        assert loved.mean() > hated.mean()

    def expect_for_an_empty_profile(self, ratings):
        return np.full(ratings.n_items, ratings.values.mean())


class TestPaperLiteralPreset(SystemContract):
    system = "user-knn"
    config = system_of("user-knn").presets["paper-literal"]

    def check_taste(self, loved, hated):
        """A sum over all users without a divisor is above the scale for every item."""
        assert loved.min() == hated.min() == 5


def test_the_own_rating_of_a_training_user_is_not_used():
    dense = np.array([[5, 5, 0], [5, 1, 0], [4, 1, 1.0]])
    model = UserKNN(UserKNNConfig(k=1)).fit(of_dense(dense))
    assert model.predict(None, np.array([0]), np.array([1])) == 1


def best_of(dense, profile, seed=0, k=1):
    config = UserKNNConfig(k=k)
    model = UserKNN(config).fit(of_dense(dense), options=RunOptions(seed=seed))
    ranking = model.recommend(profiles(profile, n_items=dense.shape[1]), 1)
    return ranking.items[0, 0], ranking.tied[0]


def test_the_sum_of_similarities_breaks_ties():
    near, far = [5, 5, 0, 5.0], [5, 0, 5, 0.0]
    assert best_of(np.array([near, far]), {0: 5, 1: 5}) == (3, 2)


def test_the_number_of_ratings_breaks_remaining_ties():
    # User 0 rated items 2 and 3; user 1 shares no item with the profile and rated item 3.
    dense = np.array([[5, 5, 5, 5.0], [0, 0, 0, 2.0]])
    assert best_of(dense, {0: 5, 1: 5}) == (3, 2)


def test_a_seeded_hash_breaks_the_last_ties():
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
def test_an_impossible_configuration_is_refused(config):
    with pytest.raises(ConfigurationError, match="cannot be trained with"):
        UserKNN(config).fit(random_ratings(0))
