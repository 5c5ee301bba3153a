"""The sparse form against the paper's dense formulation, written out as the paper has it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.core.algorithms.autoencoder import WithheldRatings
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network
from recommender.core.algorithms.withheld import Plan
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions
from tests.core.matrices import random_ratings

HIDDEN = (8, 7, 6, 3, 6, 7, 8)
FAITHFUL = {"target": "stars", "loss": "rmse"}
RESIDUAL = {"target": "residual", "loss": "mse", "normalise": True, "movie_damping": 3.0}


def task_of(seed=0, **values) -> WithheldRatings:
    """The task as fit makes it, in double precision."""
    config = AutoencoderConfig(hidden=HIDDEN, batch_users=5, withheld_per_user=3, **values)
    matrix = random_ratings(seed, n_users=12, n_items=10, share=0.5).matrix()
    network = Network.drawn(config, 10, seed, "cpu", torch.float64)
    rng = np.random.default_rng(seed)
    for name, tensor in network.parameters.items():
        if name.endswith("bias"):  # zero biases would hide an error in them
            tensor += torch.from_numpy(rng.normal(0, 0.3, tensor.shape))
    counts = np.bincount(matrix.indices, minlength=10)
    encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
    return WithheldRatings(network, matrix, encoding, config, RunOptions())


def examples_of(batch):
    """(task, movie) of each example, read back from the batch."""
    return batch.task_of.tolist(), batch.targets[batch.target_of].tolist()


def users_of(task, batch):
    """The users whose profiles the batch holds, found by their movies and values."""
    dense = task.inputs.toarray()
    found = []
    for t in range(len(batch.examples_of) - 1):
        part = slice(int(batch.inputs.offsets[t]), int(batch.inputs.offsets[t + 1]))
        row = np.zeros(dense.shape[1])
        row[batch.items[batch.inputs.columns[part]]] = batch.inputs.weights[part]
        found.append(int(np.flatnonzero((dense == row).all(1))[0]))
    return found


def dense_step(task, batch, generator=None):
    """The paper's step: whole profiles with a zero for the withheld rating, all outputs."""
    config, n_items = task.config, task.inputs.shape[1]
    profiles = task.inputs.toarray()
    users, (tasks, movies) = users_of(task, batch), examples_of(batch)
    rows = np.array([users[t] for t in tasks])
    x = profiles[rows]
    x[np.arange(len(rows)), movies] = 0
    if config.normalise:
        counts = (task.matrix.toarray()[rows] > 0).sum(1) - 1
        x /= np.sqrt(np.maximum(counts, 1))[:, None]
    leaves = {
        name: tensor.clone().requires_grad_() for name, tensor in task.network.parameters.items()
    }
    values = task.network._drop(
        torch.relu(torch.from_numpy(x) @ leaves["first"] + leaves["first.bias"]), generator
    )
    for layer in range(len(HIDDEN) - 1):
        product = values @ leaves[f"middle.{layer}"].T + leaves[f"middle.{layer}.bias"]
        values = task.network._drop(torch.relu(product), generator)
    outputs = values @ leaves["last"].T + leaves["last.bias"]
    assert outputs.shape == (len(rows), n_items)
    stars = torch.from_numpy(task.matrix.toarray()[rows, movies].astype(float))
    counts = torch.from_numpy((task.matrix.toarray() > 0).sum(0)[movies].astype(float))
    shares = counts / (counts + config.movie_damping)
    errors = outputs[np.arange(len(rows)), movies] * shares + batch.baseline - stars
    loss = (errors**2).mean()
    loss = loss.sqrt() if config.loss == "rmse" else loss
    return loss, dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))


@pytest.mark.parametrize("values", [FAITHFUL, RESIDUAL, {**RESIDUAL, "dropout": 0.5}])
@pytest.mark.parametrize("seed", [0, 1])
def test_loss_and_gradients_are_those_of_the_dense_formulation(values, seed):
    task = task_of(seed, **values)
    for number, batch in enumerate(task.batches(np.random.default_rng(seed))):
        draws = [torch.Generator().manual_seed(number) for _ in range(2)]
        wanted_loss, wanted = dense_step(task, batch, draws[0])
        loss, _, gradients = task.network.gradients(batch, draws[1])
        assert abs(float(loss - wanted_loss.detach())) < 1e-10
        rows = task.network.rows_of(batch)
        for name, gradient in gradients.items():
            whole = torch.zeros_like(wanted[name])
            if name in rows:
                whole[rows[name]] = gradient
            else:
                whole = gradient
            assert torch.allclose(whole, wanted[name], rtol=0, atol=1e-10), name


def test_a_step_moves_the_weights_as_the_optimiser_would_with_dense_gradients():
    task = task_of(0, **FAITHFUL)
    batch = next(iter(task.batches(np.random.default_rng(0))))
    _, wanted = dense_step(task, batch)
    before = {name: tensor.clone() for name, tensor in task.network.parameters.items()}
    task.step(batch, share=0.0, generator=torch.Generator())
    for name, tensor in task.network.parameters.items():
        # Adam's first step is the learning rate times the gradient's sign, where it is not tiny
        clear = wanted[name].abs() > 1e-4
        moved = (before[name] - tensor)[clear]
        assert torch.allclose(moved, 1e-4 * wanted[name][clear].sign(), rtol=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 20))
def test_every_rating_is_withheld_exactly_once_per_pass(seed, per_user, tasks):
    rows = np.sort(np.random.default_rng(seed).integers(0, 8, 40))
    plan = Plan.draw(rows, np.arange(40), per_user, np.random.default_rng(seed))
    seen = []
    for users, task, entries in plan.batches(tasks):
        assert np.array_equal(rows[entries], users[task])
        assert np.bincount(task).max() <= per_user
        seen.extend(entries.tolist())
    assert sorted(seen) == list(range(40))


def test_passes_differ_in_what_is_withheld_together():
    rows = np.repeat(np.arange(4), 10)
    plans = [Plan.draw(rows, np.arange(40), 5, np.random.default_rng(seed)) for seed in (0, 1)]
    assert plans[0].entries.tolist() != plans[1].entries.tolist()


def test_inputs_are_stars_or_damped_distances_from_the_movies_mean():
    matrix = random_ratings(1).matrix()
    bias, counts = BiasTerms.learn(matrix, BiasConfig()), np.bincount(matrix.indices, minlength=9)
    raw = Encoding(bias, counts, AutoencoderConfig()).inputs(matrix)
    assert np.array_equal(raw.data, matrix.data)
    config = AutoencoderConfig(target="residual", movie_damping=4.0)
    damped = Encoding(bias, counts, config).inputs(matrix).toarray()
    user, movie = matrix.nonzero()[0][5], matrix.nonzero()[1][5]
    share = counts[movie] / (counts[movie] + 4)
    wanted = (matrix[user, movie] - bias.movies()[movie]) * share
    assert damped[user, movie] == pytest.approx(wanted)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_baseline_of_a_rating_does_not_know_it(seed):
    """The damped bias with the rating left out of its movie's and its user's offset."""
    matrix = random_ratings(seed, n_users=7, n_items=6).matrix()
    dense, bias = matrix.toarray().astype(float), BiasTerms.learn(matrix, BiasConfig())
    rows = np.repeat(np.arange(7), np.diff(matrix.indptr))
    counts = np.bincount(matrix.indices, minlength=6)
    found = Encoding(bias, counts, AutoencoderConfig(target="residual")).baselines(matrix, rows)
    for position, (user, movie) in enumerate(zip(rows, matrix.indices, strict=True)):
        others = [r - bias.mean for v, r in enumerate(dense[:, movie]) if r and v != user]
        movie_offset = sum(others) / (len(others) + 5)
        rest = [
            dense[user, i] - bias.mean - bias.item_offsets[i]
            for i in range(6)
            if dense[user, i] and i != movie
        ]
        wanted = bias.mean + movie_offset + sum(rest) / (len(rest) + 5)
        assert found[position] == pytest.approx(wanted, abs=1e-9)
