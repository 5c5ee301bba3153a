"""Predictions do not depend on where a scale begins."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recommender.core.algorithms.base import implementation
from recommender.core.runs import RunOptions
from tests.recommender.core.matrices import random_ratings


def predictions(system, ratings):
    model = implementation(system)().fit(ratings, options=RunOptions(threads=1))
    pairs = np.divmod(np.arange(ratings.n_users * ratings.n_items), ratings.n_items)
    return model.predict(None, *pairs)


def assert_shifted(system, seed, shift):
    ratings = random_ratings(seed)
    expected = predictions(system, ratings) + shift
    assert_allclose(predictions(system, ratings.shifted(shift)), expected, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(-100, 100, width=16))
def test_a_shift_of_all_ratings_shifts_the_bias(seed, shift):
    assert_shifted("bias", seed, shift)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(-200, -1).map(lambda steps: steps / 2))
@example(0, -0.5)
@example(0, -2.5)
def test_a_shift_to_zero_or_below_shifts_user_knn(seed, shift):
    """Among positive scales a shift changes cosines, and so who is similar."""
    assert_shifted("user-knn", seed, shift)
