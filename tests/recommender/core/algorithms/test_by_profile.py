import numpy as np
from numpy.testing import assert_array_equal

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.by_profile import ByProfile
from recommender.core.configs.simple import BiasConfig
from tests.recommender.core.matrices import profiles, random_ratings


class Counting(ByProfile):
    """Predicts the number of items in the profile, and remembers what it was asked."""

    name = "bias"

    def _fit(self, ratings, options):
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        self.asked = []

    def _rate(self, profile, wanted):
        self.asked.append(wanted.tolist())
        return np.full(len(wanted), len(profile.items))


def test_a_profile_is_read_once_for_all_its_pairs_in_any_order():
    model = Counting().fit(random_ratings(1))
    given = profiles({0: 5}, {}, {1: 4, 2: 3, 8: 1}, n_items=9)
    found = model.predict(given, np.array([2, 0, 2, 0]), np.array([4, 5, 3, 5]))
    assert found.tolist() == [3, 1, 3, 1]
    assert model.asked == [[5, 5], [4, 3]]


def test_a_pair_is_covered_by_a_rating_of_the_profile_and_one_of_the_item():
    ratings = random_ratings(1)
    model = Counting().fit(ratings)
    given, items = profiles({0: 5}, {}, n_items=9), np.tile(np.arange(9), 2)
    _, covered = model.predict_covered(given, np.repeat([0, 1], 9), items)
    assert_array_equal(covered, [*(model.counts_ > 0), *np.zeros(9, bool)])


def test_the_user_offset_is_that_of_the_damped_bias():
    seen = []
    model = Counting().fit(random_ratings(1))
    model._rate = lambda profile, wanted: seen.append(profile) or np.ones(len(wanted))
    given = profiles({}, {1: 4, 2: 3}, n_items=9)
    model.predict(given, np.array([1]), np.array([0]))
    assert seen[0].offset == model.bias_.user_offsets(given)[1]
    assert_array_equal(seen[0].stars, [4, 3])
