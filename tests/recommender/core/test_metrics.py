import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.core import metrics
from recommender.core.errors import ConfigurationError

stars = st.floats(0.5, 5, width=32)
pairs = st.lists(st.tuples(stars, stars), min_size=1, max_size=30)


@given(pairs)
def test_errors_follow_the_textbook(pairs):
    actual, predicted = zip(*pairs, strict=True)
    squares = [(p - a) ** 2 for a, p in pairs]
    assert metrics.mse(actual, predicted) == pytest.approx(statistics.fmean(squares))
    assert metrics.rmse(actual, predicted) == pytest.approx(
        math.dist(actual, predicted) / math.sqrt(len(pairs))
    )
    assert metrics.mae(actual, predicted) == pytest.approx(
        statistics.fmean(abs(p - a) for a, p in pairs)
    )


@pytest.mark.parametrize(
    ("actual", "predicted"), [([], []), ([1.0], [1.0, 2.0]), ([1.0], [math.nan])]
)
def test_empty_unequal_or_nan_arrays_are_refused(actual, predicted):
    with pytest.raises(ConfigurationError):
        metrics.rmse(actual, predicted)


def figures(squared, counts=(2, 3)):
    values = np.array(squared, float)
    return metrics.UserFigures(
        np.array([4, 7]), np.array(counts), values, values / 2, np.array([0.5, np.nan])
    )


def test_the_figures_of_users_are_averaged_over_seeds():
    found = metrics.average_users([figures([1, 2]), figures([3, 6])])
    assert found.squared.tolist() == [2, 4]
    assert found.absolute.tolist() == [1, 2]
    assert np.array_equal(found.ndcg, [0.5, np.nan], equal_nan=True)
    assert (found.users.tolist(), found.counts.tolist()) == ([4, 7], [2, 3])


def test_evaluations_of_other_test_ratings_are_not_averaged():
    with pytest.raises(ConfigurationError, match="different test ratings"):
        metrics.average_users([figures([1, 2]), figures([1, 2], counts=(2, 4))])
