"""Items that people cannot tell apart, because title and year are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recommender.core.duplicates import (
    duplicate_key,
    duplicate_matrix,
    group_duplicates,
    with_duplicates,
)


@pytest.mark.parametrize("other", ["Emma", "emma", " Emma", "EMMA  "])
def test_case_and_spaces_do_not_matter(other):
    assert duplicate_key(other, 1996) == duplicate_key("Emma", 1996)


@pytest.mark.parametrize("other", [("Emma", 2020), ("Emma", None), ("Emma.", 1996)])
def test_another_title_or_year_is_another_item(other):
    assert duplicate_key(*other) != duplicate_key("Emma", 1996)


def test_groups_are_of_two_or_more():
    assert group_duplicates([(1, "a"), (2, "b"), (3, "a"), (4, "a")]) == [[1, 3, 4]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_a_profile_with_duplicates_has_every_duplicate_of_a_rated_item(keys, seed):
    rng = np.random.default_rng(seed)
    rated = rng.random((4, len(keys))) < 0.3
    groups = group_duplicates(enumerate(keys))
    found = with_duplicates(csr_array(rated * 2.5), duplicate_matrix(groups, len(keys))).toarray()
    expected = [[bool(row[np.array(keys) == key].any()) for key in keys] for row in rated]
    assert found.tolist() == expected


def test_the_matrix_of_a_large_group_stays_small():
    groups = [list(range(50_000))]
    assert duplicate_matrix(groups, 60_000).nnz == 50_000


def test_a_stored_zero_counts_as_rated():
    profile = csr_array(([0.0], [0], [0, 1]), shape=(1, 3))
    assert with_duplicates(profile, duplicate_matrix([[0, 2]], 3)).toarray().tolist() == [
        [True, False, True]
    ]
