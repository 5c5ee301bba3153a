import pytest
import torch

from recommender.core.algorithms.sparse_matrix import SparseMatrix
from tests.recommender.core.matrices import random_ratings


@pytest.mark.parametrize("transposed", [False, True])
def test_the_product_is_that_of_the_dense_matrix(transposed):
    matrix = random_ratings(0).matrix()
    dense = torch.from_numpy(matrix.toarray()).double()
    dense, stored = (dense.T, matrix.tocsc()) if transposed else (dense, matrix)
    table = torch.randn(dense.shape[1], 5, dtype=torch.float64)
    found = SparseMatrix.from_scipy(stored, "cpu", torch.float64).times(table)
    assert torch.allclose(found, dense @ table, rtol=1e-12)
