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
def test_errors_are_those_of_the_textbook(pairs):
    actual, predicted = zip(*pairs, strict=True)
    squares = [(p - a) ** 2 for a, p in pairs]
    assert metrics.mse(actual, predicted) == pytest.approx(statistics.fmean(squares))
    assert metrics.rmse(actual, predicted) == pytest.approx(
        math.dist(actual, predicted) / math.sqrt(len(pairs))
    )
    assert metrics.mae(actual, predicted) == pytest.approx(
        statistics.fmean(abs(p - a) for a, p in pairs)
    )


@given(pairs, st.data())
def test_each_user_has_the_error_of_the_own_ratings(pairs, data):
    users = data.draw(st.lists(st.integers(0, 4), min_size=len(pairs), max_size=len(pairs)))
    actual, predicted = (np.asarray(side) for side in zip(*pairs, strict=True))
    found, values = metrics.per_user(metrics.mae, users, actual, predicted)
    assert found.tolist() == sorted(set(users))
    for user, value in zip(found, values, strict=True):
        own = np.asarray(users) == user
        assert value == pytest.approx(np.abs(predicted - actual)[own].mean())


def test_nobody_has_no_error():
    found, values = metrics.per_user(metrics.rmse, [], [], [])
    assert (len(found), len(values)) == (0, 0)


@pytest.mark.parametrize(
    ("actual", "predicted"), [([], []), ([1.0], [1.0, 2.0]), ([1.0], [math.nan])]
)
def test_errors_of_nothing_or_of_nan_are_refused(actual, predicted):
    with pytest.raises(ConfigurationError):
        metrics.rmse(actual, predicted)
