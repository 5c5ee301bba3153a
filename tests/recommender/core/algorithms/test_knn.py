"""What user-user and item-item KNN have in common."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recommender.core.algorithms.base import implementation
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.simple import BiasConfig
from recommender.core.systems import override, system
from tests.recommender.core.matrices import of_dense, profiles, random_ratings

both = pytest.mark.parametrize("name", ["user-knn", "item-knn"])


def fitted(name, ratings, **changes):
    config = override(system(name).preset()[1], **changes)
    return implementation(name)(config).fit(ratings)


@both
def test_the_mean_of_equal_stars_is_exact(name):
    dense = np.random.default_rng(0).integers(1, 11, (30, 6)) / 2
    dense[:, 5] = dense[0] = 3.5
    dense[0, 5] = 0
    model = fitted(name, of_dense(dense))
    assert model.predict(None, np.array([0]), np.array([5])) == 3.5


@both
def test_without_a_neighbour_the_fallback_is_predicted(name):
    ratings = random_ratings(2)
    unknown, items = profiles({0: 5, 4: 2}, n_items=9), np.arange(9)
    bias = BiasTerms.learn(ratings.matrix(), BiasConfig()).grid(unknown)[0]
    nobody = {"minimum_overlap": 1000}
    model = fitted(name, ratings, **nobody)
    assert_allclose(model.predict(unknown, np.zeros(9, int), items), bias, atol=1e-9)
    scores, weight, _ = model._score(unknown, None)
    assert_allclose(scores[0], bias, atol=1e-9)
    assert not weight.any()
    model = fitted(name, ratings, fallback="mean", **nobody)
    found = model.predict(unknown, np.zeros(9, int), items)
    assert_allclose(found, ratings.values.mean(), atol=1e-6)
