import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import binomtest, chisquare

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.random_order import RandomOrder
from recommender.core.configs.simple import BiasConfig, RandomConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, profiles, random_ratings


class TestRandom(SystemContract):
    system = "random"
    is_personal = False

    def ranked_by(self, model, rows, items):
        return np.zeros(len(rows))


N_ITEMS, DRAWN = 60, 20


def fitted(seed=0):
    """All 60 items have a rating."""
    ratings = of_dense(np.full((2, N_ITEMS), 3.0))
    return RandomOrder().fit(ratings, options=RunOptions(seed=seed))


def drawn(sets, seed=0):
    """Two recommendations for each profile, among the first 20 items."""
    later = np.ones(sets.shape, np.float32)
    later[:, :DRAWN] = 0
    return fitted(seed).recommend(sets, 2, exclude=csr_array(later)).items


@pytest.fixture(scope="module")
def any_profiles():
    """4,000 profiles that rated different sets of the last 40 items."""
    rng = np.random.default_rng(0)
    stars = rng.integers(1, 6, (4000, N_ITEMS)) * (rng.random((4000, N_ITEMS)) < 0.3)
    stars[:, :DRAWN] = 0
    return csr_array(stars.astype(np.float32))


@pytest.fixture(scope="module")
def first(any_profiles):
    return drawn(any_profiles)


def test_every_item_has_the_same_chance(first):
    assert chisquare(np.bincount(first[:, 0], minlength=DRAWN)).pvalue > 0.001


def test_the_second_item_does_not_depend_on_the_first(first):
    following = np.count_nonzero(first[:, 1] == (first[:, 0] + 1) % DRAWN)
    assert binomtest(following, len(first), 1 / (DRAWN - 1)).pvalue > 0.001


def test_another_seed_gives_another_order(any_profiles, first):
    same = np.count_nonzero(drawn(any_profiles, seed=1)[:, 0] == first[:, 0])
    assert binomtest(same, len(first), 1 / DRAWN).pvalue > 0.001


def test_one_rating_more_gives_another_order():
    short, long = {1: 5, 2: 4}, {1: 5, 2: 4, 3: 1}
    ranking = fitted().recommend(profiles(short, long, {2: 1, 1: 2}, n_items=N_ITEMS), 10)
    assert ranking.items[0].tolist() != ranking.items[1].tolist()
    assert_array_equal(ranking.items[0], ranking.items[2])  # the same items with other stars


def test_the_order_of_the_entries_of_a_profile_does_not_matter():
    sorted_, mixed = (
        csr_array((np.ones(3, np.float32), rated, [0, 3]), shape=(1, N_ITEMS))
        for rated in ([1, 5, 9], [9, 1, 5])
    )
    items = [fitted().recommend(profile, 20).items for profile in (sorted_, mixed)]
    assert_array_equal(items[0], items[1])


def test_all_candidates_are_tied():
    ranking = fitted().recommend(profiles({}, {3: 2, 4: 1}, n_items=N_ITEMS), 1)
    assert ranking.tied.tolist() == [N_ITEMS, N_ITEMS - 2]


def test_its_predictions_are_those_of_the_damped_bias_with_the_same_settings():
    ratings = random_ratings(4)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    model = RandomOrder(RandomConfig(user_damping=2, item_damping=9)).fit(ratings)
    bias = Bias(BiasConfig(user_damping=2, item_damping=9)).fit(ratings)
    assert_array_equal(model.predict(None, rows, items), bias.predict(None, rows, items))


def test_a_negative_damping_is_refused():
    with pytest.raises(ConfigurationError, match="user_damping=-1"):
        RandomOrder(RandomConfig(user_damping=-1.0)).fit(random_ratings(0))
