import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recommender.core.ratings import Scale
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings

pytest.importorskip("numba")

from recommender.core.neighbours.fast.packed_profiles import (
    compute_dots,
    insert,
    new_best,
    pack,
    run_blocks,
    to_integer_profiles,
)


def test_stars_become_whole_levels():
    found = to_integer_profiles(profiles({0: 0.5, 2: 5}, {1: 2}, n_items=3), HALF_STARS)
    assert_array_equal(found.indptr, [0, 2, 3])
    assert_array_equal(found.items, [0, 2, 1])
    assert_array_equal(found.levels, [1, 10, 4])


@pytest.mark.parametrize("stars", [-1, 8, float("nan")])
def test_stars_that_are_not_1_to_15_levels_have_no_integer_form(stars):
    assert to_integer_profiles(profiles({0: stars}, n_items=3), HALF_STARS) is None


@pytest.mark.parametrize("scale", [Scale(1, 2.5, 0.75), Scale(1, 16, 1)])
def test_scales_of_other_levels_have_no_integer_form(scale):
    matrix = of_dense(np.full((2, 2), scale.minimum), scale).matrix()
    assert to_integer_profiles(matrix, scale) is None


@pytest.mark.parametrize(("n_users", "n_items"), [(70, 9), (5, 1_500), (3, 70_000)])
def test_dot_products_are_exact(n_users, n_items):
    """With highest ratings, so that 16-bit sums would overflow if runs were too long."""
    matrix = of_dense(np.full((n_users, n_items), 7.5)).matrix()
    packed = pack(to_integer_profiles(matrix, HALF_STARS), n_items)
    found = np.zeros((n_users, n_users), np.uint32)

    def work(thread, panel, rows, squares):
        assert_array_equal(squares[: len(rows)], 225 * n_items)
        for user in range(n_users):
            totals = np.ones(64, np.uint32)
            compute_dots(panel, packed, user, totals)
            found[rows, user] = totals[: len(rows)]

    run_blocks(packed, matrix, HALF_STARS, np.arange(n_users), 2, work)
    assert_array_equal(found, 225 * n_items)
    assert_array_equal(packed.squares, 225 * n_items)


def test_dot_products_are_those_of_the_matrix():
    matrix = random_ratings(1, 150, 40).matrix()
    packed = pack(to_integer_profiles(matrix, HALF_STARS), 40)
    found = np.zeros((150, 150), np.uint32)

    def work(thread, panel, rows, squares):
        for user in range(150):
            totals = np.empty(64, np.uint32)
            compute_dots(panel, packed, user, totals)
            found[rows, user] = totals[: len(rows)]

    run_blocks(packed, matrix, HALF_STARS, np.arange(150), 2, work)
    assert_array_equal(found, (2 * matrix @ (2 * matrix).T).toarray())


def test_insert_keeps_the_best_by_key_then_overlap_then_position():
    matrix = profiles({0: 1}, {0: 1, 1: 1}, {0: 1}, {1: 1}, {0: 1, 1: 1}, n_items=2)
    packed, best, lists = pack(to_integer_profiles(matrix, HALF_STARS), 2), new_best(6), []

    def work(thread, panel, rows, squares):
        size = 0
        for user, key in enumerate([1.0, 1.0, 1.0, 2.0, 1.0]):
            size = insert(best, 3, size, 3, user, key, user, panel, 0, packed)
            lists.append(best.users[3 : 3 + size].tolist())

    run_blocks(packed, matrix, HALF_STARS, np.array([1]), 1, work)
    assert lists == [[0], [1, 0], [1, 0, 2], [3, 1, 0], [3, 1, 4]]
    assert best.levels[3:].tolist() == [3, 1, 4]
    assert_array_equal(best.users[:3], -1)
