"""The exact test of a preference against an independent implementation."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binomtest

from survey.stats.preference import binomial_p, preference

shares = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(shares)
@example((0, 1))
@example((500, 1000))
@example((1075, 1500))
def test_the_p_value_agrees_with_scipy(share):
    assert binomial_p(*share) == pytest.approx(binomtest(*share).pvalue, rel=1e-7, abs=1e-300)


@given(shares)
def test_both_arms_have_the_same_p_value(share):
    count, total = share
    assert binomial_p(count, total) == binomial_p(total - count, total)


def test_an_even_split_is_no_evidence_at_all():
    assert binomial_p(10, 20) == 1.0


def test_a_preference_joins_the_share_with_its_test():
    found = preference(1075, 1500)
    assert (found.share.count, found.share.total) == (1075, 1500)
    assert found.p_value < 1e-60


@pytest.mark.parametrize("wrong", [(0, 0), (-1, 4), (5, 4)])
def test_an_impossible_share_is_an_error(wrong):
    with pytest.raises(ValueError, match="not a share"):
        binomial_p(*wrong)
