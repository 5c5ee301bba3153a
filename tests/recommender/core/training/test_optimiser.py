import numpy as np
import pytest
import torch

from recommender.core.training import optimiser
from recommender.core.training.optimiser import (
    RowAdamW,
    adam_state_to_arrays,
    restore_adam_state,
)


def table(width=3, dtype=torch.float64):
    torch.manual_seed(0)
    return torch.nn.Parameter(torch.randn(6, width, dtype=dtype))


def sparse(rows, like):
    values = torch.randn(len(rows), *like.shape[1:], dtype=like.dtype)
    return torch.sparse_coo_tensor(torch.tensor([rows]), values, like.shape, check_invariants=True)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_with_gradients_for_all_rows_it_is_torchs_adamw(monkeypatch, decay, chunk):
    monkeypatch.setitem(optimiser.CHUNK, "cpu", chunk)
    ours, theirs = table(), table()
    optimisers = [
        RowAdamW([ours], lr=0.01, weight_decay=decay),
        torch.optim.AdamW([theirs], lr=0.01, weight_decay=decay),
    ]
    for _ in range(5):
        ours.grad = sparse([0, 1, 2, 3, 4, 5], ours)
        theirs.grad = ours.grad.to_dense()
        for one in optimisers:
            one.step()
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-14)


def test_with_gradients_for_some_rows_it_is_torchs_sparse_adam():
    """Apart from epsilon, which SparseAdam adds before the bias correction."""
    ours, theirs, start = table(), table(), table()
    optimisers = [RowAdamW([ours], lr=0.01), torch.optim.SparseAdam([theirs], lr=0.01)]
    for rows in ([0, 2], [2, 5], [1], [0, 1, 2, 3]):
        ours.grad = sparse(rows, ours)
        theirs.grad = ours.grad.clone()
        for one in optimisers:
            one.step()
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-6)
    assert torch.equal(ours[4], start[4])


def test_repeated_rows_are_added_up():
    ours, once = table(), table()
    ours.grad = sparse([1, 1, 3], ours)
    once.grad = ours.grad.coalesce()
    for weights in (ours, once):
        RowAdamW([weights], lr=0.01).step()
    assert torch.equal(ours, once)


def test_the_state_of_adam_survives_as_arrays():
    rows, dense = table(), torch.nn.Parameter(torch.ones(3))
    parameters = {"rows": rows, "dense": dense}

    def make():
        return RowAdamW([rows], lr=0.01), torch.optim.AdamW([dense], lr=0.01, fused=True)

    before = make()
    assert adam_state_to_arrays(before, parameters) == {}
    rows.grad, dense.grad = sparse([0, 2], rows), torch.ones(3)
    for one in before:
        one.step()
    arrays = adam_state_to_arrays(before, parameters)
    after = make()
    restore_adam_state(after, parameters, arrays)
    again = adam_state_to_arrays(after, parameters)
    assert len(again) == 6
    assert all(np.array_equal(again[name], array) for name, array in arrays.items())
    assert arrays["adam.steps.rows"] == arrays["adam.steps.dense"] == 1
