"""Withholding a rating leaves nothing of it: neither in the input nor in a gradient."""

import numpy as np
import pytest
import torch

from tests.recommender.core.algorithms.autoencoder.tasks import (
    FAITHFUL,
    RESIDUAL,
    DenseForm,
    config_of,
    make_task,
)
from tests.recommender.core.matrices import of_dense

#: users 0 to 2 have one rating each; user 3 has two, user 4 three
STARS = np.array([[3.5, 0, 0], [0, 4.5, 0], [0, 0, 1.5], [0.5, 0, 4.0], [5.0, 3.0, 2.5]])

every_path = pytest.mark.parametrize(
    ("dense", "half"), [(False, None), (True, None), (True, torch.bfloat16)]
)


def single_rating_task(dtype=torch.float32, per_user=2, dense=False, half=None, **values):
    """Biases are zero, so that the smallest residue would open half of the ReLUs."""
    config = config_of(hidden=(16, 8, 16), learning_rate=1e-2, withheld_per_user=per_user, **values)
    return make_task(of_dense(STARS).matrix(), config, dense=dense, half=half, dtype=dtype)


@pytest.mark.parametrize("values", [{}, {"target": "residual"}, {"normalise": True}])
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize(("dtype", "atol"), [(torch.float64, 1e-9), (torch.float32, 2e-3)])
def test_training_with_single_ratings_follows_the_dense_formulation(dtype, atol, dense, values):
    """All items are in every batch, so that the row-wise and the dense optimiser agree."""
    task = single_rating_task(dtype, dense=dense, **values)
    oracle = DenseForm(task)
    optimiser = torch.optim.Adam(oracle.weights.values(), lr=1e-2)
    for step in range(25):
        for plan in task.batches(np.random.default_rng(step)):
            optimiser.zero_grad()
            oracle.loss(plan).backward()
            optimiser.step()
            task.step(task.prepare(plan), 0.0, torch.Generator())
    for name, weights in oracle.weights.items():
        assert torch.allclose(task.parameters[name], weights, rtol=0, atol=atol), name


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("per_user", [1, 3])
@every_path
def test_withholding_the_only_rating_leaves_an_exactly_empty_input(
    dense, half, per_user, normalise
):
    task = single_rating_task(per_user=per_user, dense=dense, half=half, normalise=normalise)
    for plan in task.batches(np.random.default_rng(0)):
        sums = task.network.first(task.prepare(plan))
        is_single = torch.from_numpy(plan.users[plan.profile_of] < 3)
        assert not sums[is_single].any()
        assert sums[~is_single].any(1).all()


def test_a_profile_whose_other_inputs_are_zero_is_empty_too():
    """With target "residual" an input is zero where a rating equals the mean of its item."""
    task = single_rating_task()
    task.inputs.data[task.rows == 3] = [0.0, 4.1]
    for plan in task.batches(np.random.default_rng(0)):
        sums = task.network.first(task.prepare(plan))
        is_empty = (plan.users[plan.profile_of] == 3) & (task.inputs.data[plan.withheld] != 0)
        assert not sums[torch.from_numpy(is_empty)].any()


@pytest.mark.parametrize("values", [FAITHFUL, RESIDUAL])
@every_path
def test_an_item_that_no_example_reads_gets_no_gradient(dense, half, values):
    """Adam would turn the smallest residue into a whole step."""
    stars = np.zeros((6, 24))  # four items of each user, which nobody else has rated
    for user in range(6):
        stars[user, 4 * user : 4 * user + 4] = [0.5, 3.0, 4.5, 5.0]
    config = config_of(hidden=(32, 16, 32), batch_users=6, withheld_per_user=1, **values)
    task = make_task(of_dense(stars).matrix(), config, dense=dense, half=half, dtype=torch.float32)
    for number in range(4):  # the number of the rating that each user withholds
        plan = next(task.batches(np.random.default_rng(0), np.arange(number, 24, 4)))
        _, gradients = task.gradients(task.batch(plan))
        rows = gradients["first"].to_dense()
        is_read = np.arange(24) % 4 != number
        assert not rows[~is_read].any()
        assert rows[is_read].any(1).all()


@every_path
def test_an_item_gets_no_gradient_from_the_example_that_withholds_it(dense, half):
    """Two examples of one profile; all units are dead in the one that reads item 0."""
    config = config_of(hidden=(4, 4), withheld_per_user=2)
    task = make_task(
        of_dense(np.array([[3.0, 2.5]])).matrix(), config, dense=dense, half=half,
        dtype=torch.float32,
    )  # fmt: skip
    with torch.no_grad():
        task.parameters["first"][0] = -1.0
        task.parameters["first"][1] = 1.0
    (plan,) = task.batches(np.random.default_rng(0))
    _, gradients = task.gradients(task.batch(plan))
    assert not gradients["first"].to_dense()[0].any()
