import math
import statistics

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
