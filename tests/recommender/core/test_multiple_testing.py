"""The correction for several tests against an independent implementation, and its promise."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from recommender.core.multiple_testing import holm

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=28)


@pytest.mark.long
@settings(max_examples=15)  # the oracle takes 50 ms
@given(p_values)
@example([0.01, 0.04, 0.03])
@example([0.02, 0.02, 0.02])
@example([1.0, 0.0])
def test_the_corrected_p_values_agree_with_statsmodels(values):
    expected = multipletests(values, method="holm")[1]
    assert holm(values) == pytest.approx(expected.tolist(), rel=1e-12, abs=1e-300)


@given(p_values)
def test_no_p_value_is_made_smaller_and_their_order_stays(values):
    corrected = holm(values)
    assert all(value <= each <= 1 for value, each in zip(values, corrected, strict=True))
    ranked = [each for _, each in sorted(zip(values, corrected, strict=True))]
    assert ranked == sorted(corrected)


@given(p_values, st.integers(0, 20))
def test_tests_without_data_count_as_if_they_had_shown_nothing(values, more):
    assert holm(values, family=len(values) + more) == holm([*values, *[1.0] * more])[: len(values)]


@given(st.floats(0, 1))
def test_a_single_test_needs_no_correction(value):
    assert holm([value]) == [value]


def test_of_many_true_nulls_even_one_is_called_false_no_more_often_than_promised():
    rng = np.random.default_rng(1979)
    tries = rng.random((4000, 6))
    wrong = np.mean([min(holm(row.tolist())) <= 0.05 for row in tries])
    assert wrong < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)
    assert np.mean(tries.min(axis=1) <= 0.05) > 0.2  # as often it would happen uncorrected


def test_no_tests_need_no_correction():
    assert holm([]) == []


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_an_impossible_p_value_is_an_error(wrong):
    with pytest.raises(ValueError, match="p-value"):
        holm([0.5, wrong])


def test_a_family_smaller_than_its_tests_is_an_error():
    with pytest.raises(ValueError, match="more than a family of 1"):
        holm([0.1, 0.2], family=1)
