import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.similarity import UserIndex
from tests.recommender.core.matrices import HALF_STARS, profiles, random_ratings

pytest.importorskip("numba")

from recommender.core.neighbours.fast.nearest_users import CompiledIndex
from recommender.core.neighbours.fast.packed_profiles import to_integer_profiles

SHAPES = st.sampled_from([(300, 20, 0.1), (130, 8, 0.5), (65, 700, 0.6), (1, 3, 0.9)])


def index_of(matrix, threads=2):
    return CompiledIndex(
        to_integer_profiles(matrix, HALF_STARS), matrix.shape[1], HALF_STARS, threads
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), SHAPES, st.sampled_from([1, 5, 20]), st.booleans())
def test_the_nearest_users_are_those_of_the_plain_index(seed, shape, k, excluded):
    matrix = random_ratings(seed, *shape).matrix()
    own = np.arange(matrix.shape[0]) if excluded else None
    plain = UserIndex(matrix, HALF_STARS, UserKNNConfig()).ranked(matrix, exclude=own, limit=k)
    found = index_of(matrix).ranked(matrix, exclude=own, limit=k)
    for ranked, wanted in zip(found, plain, strict=True):
        assert_array_equal(ranked.users, wanted.users)
        assert_array_equal(ranked.similarities, wanted.similarities)


def sort_exactly(dense, asking, k):
    """The k nearest users of each profile by sorting all of them, in whole numbers."""
    dense, asking = (np.rint(2 * stars).astype(np.int64) for stars in (dense, asking))
    dots, overlaps = asking @ dense.T, (asking > 0).astype(int) @ (dense > 0).T
    keys = dots**2 / np.maximum((dense**2).sum(axis=1), 1)
    found = np.full((len(asking), k), -1)
    for row in range(len(asking)):
        order = np.lexsort((np.arange(len(dense)), -overlaps[row], -keys[row]))
        order = order[dots[row, order] > 0][:k]
        found[row, : len(order)] = order
    return found


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([(1, 2), (1, 10), (9, 10), (4, 4)]),
    st.sampled_from([(1, 2), (1, 10), (9, 10), (4, 4)]),
    st.sampled_from([(6, 0.4), (40, 0.1), (40, 0.5)]),
    st.sampled_from([1, 5]),
)
def test_strangers_with_other_ratings_find_their_nearest_users(seed, own, asked, shape, k):
    (n_items, share), rng = shape, np.random.default_rng(seed)
    dense, asking = (
        rng.integers(lowest, highest + 1, (n, n_items)) / 2 * (rng.random((n, n_items)) < share)
        for n, (lowest, highest) in ((1_500, own), (40, asked))
    )
    users, similarities = index_of(csr_array(dense)).nearest(csr_array(asking), None, k)
    assert_array_equal(users, sort_exactly(dense, asking, k))
    assert_array_equal(similarities > 0, users >= 0)


def test_neither_threads_nor_the_other_queries_change_an_answer():
    matrix = random_ratings(3, 700, 30, 0.3).matrix()
    users, similarities = index_of(matrix, threads=3).nearest(matrix, np.arange(700), 5)
    for some in np.array_split(np.random.default_rng(0).permutation(700), 9):
        alone = index_of(matrix, threads=1).nearest(matrix[some], some, 5)
        assert_array_equal(alone[0], users[some])
        assert_array_equal(alone[1], similarities[some])


@pytest.mark.parametrize("stars", [40, -1])
def test_profiles_off_the_scale_are_refused(stars):
    index = index_of(random_ratings(5, 50, 10, 0.5).matrix())
    with pytest.raises(ConfigurationError, match="scale"):
        index.nearest(profiles({0: stars}, n_items=10), None, 5)


def test_profiles_over_another_number_of_items_are_refused():
    index = index_of(random_ratings(5, 50, 10, 0.5).matrix())
    with pytest.raises(ConfigurationError, match="items"):
        index.nearest(profiles({0: 4}, n_items=9), None, 5)
