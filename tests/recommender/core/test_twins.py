"""Items that people cannot tell apart, because title and year are the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recommender.core.twins import group_twins, twin_key, twin_matrix, with_twins


@pytest.mark.parametrize("other", ["Emma", "emma", " Emma", "EMMA  "])
def test_case_and_spaces_do_not_tell_items_apart(other):
    assert twin_key(other, 1996) == twin_key("Emma", 1996)


@pytest.mark.parametrize("other", [("Emma", 2020), ("Emma", None), ("Emma.", 1996)])
def test_another_title_or_year_is_another_item(other):
    assert twin_key(*other) != twin_key("Emma", 1996)


def test_groups_are_of_two_or_more():
    assert group_twins([(1, "a"), (2, "b"), (3, "a"), (4, "a")]) == [[1, 3, 4]]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_a_profile_with_twins_holds_every_item_that_looks_like_a_rated_one(keys, seed):
    rng = np.random.default_rng(seed)
    rated = rng.random((4, len(keys))) < 0.3
    groups = group_twins(enumerate(keys))
    found = with_twins(csr_array(rated * 2.5), twin_matrix(groups, len(keys))).toarray()
    expected = [[bool(row[np.array(keys) == key].any()) for key in keys] for row in rated]
    assert found.tolist() == expected


def test_a_title_of_many_items_takes_no_more_room_than_they_are():
    groups = [list(range(50_000))]
    assert twin_matrix(groups, 60_000).nnz == 50_000


def test_a_stored_zero_counts_as_rated():
    profile = csr_array(([0.0], [0], [0, 1]), shape=(1, 3))
    assert with_twins(profile, twin_matrix([[0, 2]], 3)).toarray().tolist() == [[True, False, True]]
