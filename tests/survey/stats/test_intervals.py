"""Intervals of one share against independent implementations, and against the paper's figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest
from statsmodels.stats.proportion import proportion_confint

from survey.stats.intervals import clopper_pearson, proportion

shares = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
confidences = st.floats(0.5, 0.999)


@given(shares, confidences)
def test_the_exact_interval_agrees_with_statsmodels(share, confidence):
    count, total = share
    expected = proportion_confint(count, total, alpha=1 - confidence, method="beta")
    assert clopper_pearson(count, total, confidence) == pytest.approx(expected, abs=1e-9)


@given(shares, confidences)
def test_the_exact_interval_agrees_with_the_inverted_test_of_scipy(share, confidence):
    expected = binomtest(*share).proportion_ci(confidence, method="exact")
    assert clopper_pearson(*share, confidence) == pytest.approx(tuple(expected), abs=1e-9)


@given(shares)
def test_an_interval_holds_the_share_and_mirrors_when_it_is_turned_round(share):
    count, total = share
    low, high = clopper_pearson(count, total)
    assert 0 <= low <= count / total <= high <= 1
    assert clopper_pearson(total - count, total) == pytest.approx((1 - high, 1 - low), abs=1e-9)


@pytest.mark.parametrize("total", [1, 7, 40])
@pytest.mark.parametrize("truth", [0.03, 0.3, 0.5, 0.92])
def test_the_exact_interval_covers_the_truth_at_least_as_often_as_promised(total, truth):
    covered = sum(
        binom.pmf(count, total, truth)
        for count in range(total + 1)
        if clopper_pearson(count, total)[0] <= truth <= clopper_pearson(count, total)[1]
    )
    assert covered >= 0.95


def test_the_papers_preference_of_71_67_percent_has_the_interval_69_3_to_73_9():
    share = proportion(1075, 1500)
    assert (round(share.rate, 4), round(share.low, 3), round(share.high, 3)) == (
        0.7167,
        0.693,
        0.739,
    )


@pytest.mark.parametrize("wrong", [(0, 0), (-1, 4), (5, 4)])
@pytest.mark.parametrize("interval", [clopper_pearson, proportion])
def test_an_impossible_share_is_an_error(interval, wrong):
    with pytest.raises(ValueError, match="not a share"):
        interval(*wrong)


@pytest.mark.parametrize("confidence", [0, 1, 95, float("nan")])
def test_a_confidence_outside_zero_and_one_is_an_error(confidence):
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 2, confidence)
