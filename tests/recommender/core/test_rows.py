"""Adam on rows whose gradient is compiled: the same as torch's, whatever the threads."""

import numpy as np
import pytest
import torch

from recommender.core.training import Adam, rows
from recommender.core.training.rows import Terms
from tests.recommender.core.test_withheld import FAITHFUL, RESIDUAL, task_of

pytest.importorskip("numba")


def terms(width=600, n_rows=40, dtype=torch.float64):
    """Of 40 rows, the first without any term, from tables of 5 and 7 rows."""
    rng = np.random.default_rng(0)
    ends = np.concatenate(([0, 0], np.cumsum(rng.integers(1, 6, n_rows - 1))))
    return Terms(
        torch.from_numpy(ends),
        torch.from_numpy(rng.integers(0, 12, ends[-1])),
        torch.from_numpy(rng.normal(size=ends[-1])).to(dtype),
        tuple(torch.from_numpy(rng.normal(size=(n, width))).to(dtype) for n in (5, 7)),
    )


def after_steps(compiled, steps=3, threads=2):
    adam, before = Adam(weight_decay=0.1), torch.get_num_threads()
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=(90, 600)))
    chosen = torch.arange(0, 80, 2)
    torch.set_num_threads(threads)
    for _ in range(steps):
        if compiled:
            adam.update_summed("w", weights, terms(), 0.01, chosen)
        else:
            adam.update("w", weights, terms().added_up(), 0.01, chosen)
    torch.set_num_threads(before)
    return [weights, adam.means["w"], adam.squares["w"]]


def test_weights_and_moments_are_those_of_the_form_that_adds_up_first():
    for found, wanted in zip(after_steps(True), after_steps(False), strict=True):
        assert torch.allclose(found, wanted, rtol=1e-12, atol=1e-14)


def test_the_number_of_threads_changes_nothing():
    for one, many in zip(after_steps(True, threads=1), after_steps(True, threads=3), strict=True):
        assert torch.equal(one, many)


def test_narrow_layers_and_machines_without_numba_add_up_first(monkeypatch):
    assert not terms(width=8).can_be_compiled
    assert terms().can_be_compiled
    monkeypatch.setattr(rows, "COMPILES", False)
    assert not terms().can_be_compiled


@pytest.mark.parametrize("values", [FAITHFUL, {**RESIDUAL, "dropout": 0.5, "weight_decay": 0.1}])
def test_training_comes_to_the_same_weights_in_both_forms(monkeypatch, values):
    found = []
    for width in (1, 512):  # from which width on rows are compiled
        monkeypatch.setattr(rows, "WIDE", width)
        task = task_of(0, **values)
        for part in task.batches(np.random.default_rng(0)):
            task.step(task.prepare(part), 0.0, torch.Generator().manual_seed(1))
        found.append(task.state())
    for name in found[0]:
        assert np.allclose(found[0][name], found[1][name], rtol=1e-10, atol=1e-12), name
