"""The plain loop and the fold-in are in ``test_svd.py``, because both systems share them."""

import numpy as np
from numpy.testing import assert_allclose

from recommender.core.algorithms.svdpp import SVDpp
from recommender.core.configs.factors import SVDppConfig
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import profiles, random_ratings


class TestSVDpp(SystemContract):
    system = "svdpp"


def test_which_items_are_rated_is_part_of_the_users_vector():
    model = SVDpp(SVDppConfig(factors=3, epochs=2)).fit(random_ratings(3))
    Y = model.implicit_factors_
    given = model._given(profiles({}, {4: 1.0}, {0: 5.0, 2: 1.0, 8: 3.0}, n_items=9))
    assert_allclose(given, [np.zeros(3), Y[4], (Y[0] + Y[2] + Y[8]) / np.sqrt(3)])
