"""The sparse form against the paper's dense formulation, written out as the paper has it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.encoding import Encoding
from recommender.core.algorithms.network import Network, _bytes
from recommender.core.algorithms.plan import Plan
from recommender.core.algorithms.withheld import assemble, first_sums
from recommender.core.algorithms.withheld_ratings import WithheldRatings
from recommender.core.systems import AutoencoderConfig, BiasConfig, RunOptions
from tests.recommender.core.matrices import random_ratings

RNG = np.random.default_rng(0)
HIDDEN = (8, 7, 6, 3, 6, 7, 8)
FAITHFUL = {"target": "stars", "loss": "rmse"}
RESIDUAL = {"target": "residual", "loss": "mse", "normalise": True, "movie_damping": 3.0}


def task_of(seed=0, dense=False, **values) -> WithheldRatings:
    """The task as fit makes it, in double precision; ``dense`` as on a GPU."""
    config = AutoencoderConfig(hidden=HIDDEN, batch_users=5, withheld_per_user=3, **values)
    matrix = random_ratings(seed, n_users=12, n_items=10, share=0.5).matrix()
    network = Network.drawn(config, 10, seed, "cpu", torch.float64)
    rng = np.random.default_rng(seed)
    for name, tensor in network.parameters.items():
        if name.endswith("bias"):  # zero biases would hide an error in them
            tensor += torch.from_numpy(rng.normal(0, 0.3, tensor.shape))
    counts = np.bincount(matrix.indices, minlength=10)
    encoding = Encoding(BiasTerms.learn(matrix, BiasConfig()), counts, config)
    return WithheldRatings(network, matrix, encoding, config, RunOptions(), dense)


def dense_step(task, part, generator=None):
    """The paper's step: whole profiles with a zero for the withheld rating, all outputs."""
    config, stars = task.config, task.matrix.toarray().astype(float)
    rows, movies = part.users[part.task_of], task.matrix.indices[part.entries]
    everyone = np.arange(len(rows))
    x = task.inputs.toarray()[rows]
    x[everyone, movies] = 0
    if config.normalise:
        counts = (stars[rows] > 0).sum(1) - 1
        x /= np.sqrt(np.maximum(counts, 1))[:, None]
    leaves = {
        name: tensor.clone().requires_grad_() for name, tensor in task.network.parameters.items()
    }

    def drop(values):
        if not config.dropout:
            return values
        kept = _bytes(values, generator, (0, len(values))) >= 256 * config.dropout
        return values * kept / (1 - config.dropout)

    values = [drop(torch.relu(torch.from_numpy(x) @ leaves["first"] + leaves["first.bias"]))]
    for layer in range(len(HIDDEN) - 1):
        product = values[-1] @ leaves[f"middle.{layer}"].T + leaves[f"middle.{layer}.bias"]
        values.append(drop(torch.relu(product)))
    outputs = values[-1] @ leaves["last"].T + leaves["last.bias"]
    assert outputs.shape == (len(rows), task.inputs.shape[1])
    counts = torch.from_numpy((stars > 0).sum(0).astype(float))
    outputs = outputs * counts / (counts + config.movie_damping)

    baselines = torch.from_numpy(task.baselines[part.entries])
    errors = outputs[everyone, movies] + baselines - torch.from_numpy(stars[rows, movies])
    loss = (errors**2).mean()
    loss = loss.sqrt() if config.loss == "rmse" else loss
    loss = loss + unrelated(task, part, outputs) + penalty(task, part, leaves)
    loss = loss + config.sparsity * values[HIDDEN.index(min(HIDDEN))].sum(1).mean()
    return loss, dict(zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True))


def unrelated(task, part, outputs):
    """How far the drawn movies that are not in the profile lie from the damped bias."""
    if not task.config.unrelated_weight:
        return 0
    bias = torch.from_numpy(task.encoding.bias.grid(task.matrix))[part.users[part.task_of]]
    if task.config.target == "residual":
        outputs = outputs + bias
    squares = [
        (outputs[example, movie] - bias[example, movie]) ** 2
        for example, movies in enumerate(part.drawn)
        for movie in movies
        if task.matrix.toarray()[part.users[part.task_of[example]], movie] == 0
    ]
    assert 0 < len(squares) < part.drawn.size
    return task.config.unrelated_weight * sum(squares) / len(squares)


def penalty(task, part, leaves):
    """L1 and L2 of all weights but the rows of movies that the part has nothing to do with."""
    touched = {
        "first": np.unique(task.matrix[part.users].indices),
        "last": np.unique(targets_of(task, part)),
    }
    parts = [
        tensor[touched[name]] if name in touched else tensor
        for name, tensor in leaves.items()
        if not name.endswith("bias")
    ]
    l1 = sum(tensor.abs().sum() for tensor in parts)
    return task.config.l1 * l1 + task.config.l2 * sum((tensor**2).sum() for tensor in parts)


def targets_of(task, part):
    rated = task.matrix.toarray()[part.users[part.task_of]] > 0
    drawn = [
        movie for row, movies in enumerate(part.drawn) for movie in movies if not rated[row, movie]
    ]
    return np.concatenate((task.matrix.indices[part.entries], np.array(drawn, int)))


def whole(gradient, like):
    """A gradient of some rows, with zeros for the others."""
    if gradient.rows is None:
        return gradient.values
    return torch.zeros_like(like).index_copy(0, gradient.rows, gradient.values)


@pytest.mark.parametrize(
    "values",
    [
        FAITHFUL,
        RESIDUAL,
        {**RESIDUAL, "dropout": 0.5},
        {**FAITHFUL, "l1": 0.01},
        {**RESIDUAL, "l2": 0.01},
        {**FAITHFUL, "sparsity": 0.1, "dropout": 0.25},
        {**FAITHFUL, "unrelated_weight": 0.3, "unrelated_per_example": 2},
        {**RESIDUAL, "unrelated_weight": 0.3, "l1": 0.01, "l2": 0.02, "sparsity": 0.1},
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("dense", [False, True])
def test_loss_and_gradients_are_those_of_the_dense_formulation(values, seed, dense):
    task = task_of(seed, dense, **values)
    for number, part in enumerate(task.batches(np.random.default_rng(seed))):
        draws = [torch.Generator().manual_seed(number) for _ in range(2)]
        wanted_loss, wanted = dense_step(task, part, draws[0])
        loss, _, gradients = task.network.gradients(task.batch(part), draws[1])
        assert abs(float(loss - wanted_loss.detach())) < 1e-10
        assert list(gradients) == list(wanted)
        for name, gradient in gradients.items():
            found = whole(gradient, wanted[name])
            assert torch.allclose(found, wanted[name], rtol=0, atol=1e-10), name


def test_a_perfect_prediction_has_no_slope():
    """The root mean squared error has none at zero: a division by it would give NaN."""
    task = task_of(0, **FAITHFUL)
    part = next(iter(task.batches(np.random.default_rng(0))))
    batch = task.batch(part)
    found = task.network.errors(batch) + batch.wanted
    batch.wanted.copy_(found)
    loss, _, gradients = task.network.gradients(batch)
    assert float(loss) == pytest.approx(1e-6)
    assert not any(gradient.values.any() for gradient in gradients.values())


def test_a_step_moves_the_weights_as_the_optimiser_would_with_dense_gradients():
    task = task_of(0, **FAITHFUL)
    part = next(iter(task.batches(np.random.default_rng(0))))
    _, wanted = dense_step(task, part)
    before = {name: tensor.clone() for name, tensor in task.network.parameters.items()}
    task.step(task.prepare(part), share=0.0, generator=torch.Generator())
    for name, tensor in task.network.parameters.items():
        # Adam's first step is the learning rate times the gradient's sign, where it is not tiny
        clear = wanted[name].abs() > 1e-4
        moved = (before[name] - tensor)[clear]
        assert torch.allclose(moved, 1e-4 * wanted[name][clear].sign(), rtol=1e-3)


def test_halved_profiles_leave_nothing_of_the_withheld_rating():
    """A profile of one rating, withheld: whatever is rounded, nothing of it may remain."""
    matrix = csr_array(np.array([[0.0, 3.3, 0.0], [4.1, 0.0, 0.0]]))
    half = torch.bfloat16
    part = next(Plan.draw(np.arange(2), np.arange(2), 1, RNG).parts(2, np.arange(3), RNG))
    zeros = np.zeros(3)
    batch = assemble(
        matrix, part, output_share=zeros, input_scale=None, stars=zeros[:2], baseline=zeros[:2],
        bias=zeros, user_bias=zeros, residual=False, device="cpu", dtype=torch.float32,
        half=half, dense=True,
    )  # fmt: skip
    first = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    assert batch.profiles.values.dtype == half
    assert not first_sums(batch, first).any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 20))
def test_every_rating_is_withheld_exactly_once_per_pass(seed, per_user, tasks):
    rows = np.sort(np.random.default_rng(seed).integers(0, 8, 40))
    plan = Plan.draw(rows, np.arange(40), per_user, np.random.default_rng(seed))
    seen = []
    for part in plan.parts(tasks, np.arange(3), np.random.default_rng(seed)):
        assert np.array_equal(rows[part.entries], part.users[part.task_of])
        assert np.bincount(part.task_of).max() <= per_user
        seen.extend(part.entries.tolist())
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
    wanted = (matrix[user, movie] - bias.item_means()[movie]) * share
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
