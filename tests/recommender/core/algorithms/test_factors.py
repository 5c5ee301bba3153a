import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.factors import fold_in
from tests.recommender.core.matrices import profiles, random_ratings


def least_squares(design, target, ridge):
    penalty = np.sqrt(ridge * len(target)) * np.eye(design.shape[1])
    right = np.append(target, np.zeros(len(penalty)))
    return np.linalg.lstsq(np.vstack([design, penalty]), right)[0]


def test_offset_and_vector_are_those_of_ridge_regression():
    matrix = random_ratings(3).matrix()
    rng = np.random.default_rng(0)
    factors, residuals = rng.normal(size=(9, 2)), rng.normal(size=matrix.nnz)
    offsets, vectors = fold_in(matrix, residuals, factors, 0.3)
    only_vectors = fold_in(matrix, residuals, factors, 0.3, offset=False)[1]
    for row in range(12):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        rated, target = factors[matrix.indices[part]], residuals[part]
        with_offset = np.column_stack([np.ones(len(rated)), rated])
        wanted = least_squares(with_offset, target, 0.3)
        assert_allclose(np.append(offsets[row], vectors[row]), wanted, atol=1e-9)
        assert_allclose(only_vectors[row], least_squares(rated, target, 0.3), atol=1e-9)


def test_an_empty_profile_gets_zeros():
    offsets, vectors = fold_in(profiles({}, n_items=4), np.empty(0), np.ones((4, 2)), 0.1)
    assert_array_equal(offsets, [0])
    assert_array_equal(vectors, [[0, 0]])
