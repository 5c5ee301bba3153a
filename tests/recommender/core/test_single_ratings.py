"""Profiles that withholding empties: the input must be exactly zero, on every path."""

import numpy as np
import pytest
import torch

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network
from recommender.core.algorithms.withheld import first_sums
from recommender.core.algorithms.withheld_ratings import WithheldRatings
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions
from tests.recommender.core.matrices import of_dense

#: users 0 to 2 have one rating each; user 3 has two, user 4 three
STARS = np.array([[3.5, 0, 0], [0, 4.5, 0], [0, 0, 1.5], [0.5, 0, 4.0], [5.0, 3.0, 2.5]])
RATE = 1e-2


def single_rating_task(
    *, dense=False, half=None, dtype=torch.float32, withheld_per_user=2, **values
):
    config = AutoencoderConfig(
        hidden=(16, 8, 16), learning_rate=RATE, withheld_per_user=withheld_per_user, **values
    )
    matrix = of_dense(STARS).matrix()
    network = Network.drawn(config, 3, 0, "cpu", dtype, half)  # biases are zero
    counts = np.bincount(matrix.indices, minlength=3)
    encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
    return WithheldRatings(network, matrix, encoding, config, RunOptions(), dense)


class DenseOracle:
    """The paper's formulation: dense inputs with a zero at the withheld rating, autograd, Adam."""

    def __init__(self, task):
        self.task = task
        self.weights = {
            name: tensor.clone().requires_grad_()
            for name, tensor in task.network.parameters.items()
        }
        self.optimiser = torch.optim.Adam(list(self.weights.values()), lr=RATE)

    def step(self, part):
        users, items = part.users[part.task_of], self.task.matrix.indices[part.entries]
        examples = np.arange(len(users))
        inputs = self.task.inputs.toarray()[users]  # (E, n_items)
        inputs[examples, items] = 0
        own = self.weights
        values = torch.from_numpy(inputs) @ own["first"] + own["first.bias"]
        for layer in range(2):
            values = values.relu() @ own[f"middle.{layer}"].T + own[f"middle.{layer}.bias"]
        outputs = (values.relu() * own["last"][items]).sum(1) + own["last.bias"][items]
        wanted = torch.from_numpy(self.task.matrix.data[part.entries]).double()
        wanted -= torch.from_numpy(self.task.baselines[part.entries])
        loss = ((outputs - wanted) ** 2).mean().sqrt()
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


@pytest.mark.parametrize("values", [{}, {"target": "residual"}])
@pytest.mark.parametrize("dense", [False, True])
def test_training_with_single_ratings_follows_the_dense_formulation(dense, values):
    """All ratings are in every batch, so that the row-wise and the dense optimiser agree."""
    task = single_rating_task(dense=dense, dtype=torch.float64, **values)
    oracle = DenseOracle(task)
    for step in range(25):
        for part in task.batches(np.random.default_rng(step)):
            oracle.step(part)
            task.step(task.prepare(part), 0.0, torch.Generator())
    for name, weights in oracle.weights.items():
        assert torch.allclose(task.network.parameters[name], weights, atol=1e-9), name


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("per_user", [1, 3])
@pytest.mark.parametrize(("dense", "half"), [(False, None), (True, None), (True, torch.bfloat16)])
def test_withholding_the_only_rating_leaves_an_exactly_empty_input(
    dense, half, per_user, normalise
):
    task = single_rating_task(
        dense=dense, half=half, withheld_per_user=per_user, normalise=normalise
    )
    for part in task.batches(np.random.default_rng(0)):
        batch = task.prepare(part)
        sums = first_sums(batch, task.network.parameters["first"])
        single = torch.from_numpy(part.users[part.task_of] < 3)
        assert not sums[single].any()
        assert sums[~single].any(1).all()


def test_a_profile_whose_other_inputs_are_zero_is_empty_too():
    """With target "residual" an input is zero where a rating equals the mean of its item."""
    task = single_rating_task()
    task.inputs.data[task.rows == 3] = [0.0, 4.1]
    for part in task.batches(np.random.default_rng(0)):
        sums = first_sums(task.prepare(part), task.network.parameters["first"])
        is_empty = (part.users[part.task_of] == 3) & (task.inputs.data[part.entries] != 0)
        assert not sums[torch.from_numpy(is_empty)].any()
