"""The sparse form against the paper's dense formulation."""

import numpy as np
import pytest
import torch

from recommender.core.algorithms.autoencoder.network import _random_bytes
from recommender.core.configs.networks import AutoencoderConfig, QueryMLPConfig
from tests.recommender.core.algorithms.autoencoder.tasks import (
    FAITHFUL,
    RESIDUAL,
    DenseForm,
    config_of,
    make_task,
)
from tests.recommender.core.matrices import random_ratings

EVERY_TERM = {
    "unrelated_weight": 0.3,
    "unrelated_per_example": 2,
    "l1": 0.01,
    "l2": 0.02,
    "sparsity": 0.1,
}


def example_task(seed=0, dense=False, **values):
    """Biases that are not zero, where an error in them would show."""
    matrix = random_ratings(seed, n_users=12, n_items=10, share=0.5).matrix()
    task = make_task(matrix, config_of(**values), dense=dense)
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, tensor in task.parameters.items():
            if name.endswith("bias"):
                tensor += torch.from_numpy(rng.normal(0, 0.3, tensor.shape))
    return task


def first_plan(task):
    return next(task.batches(np.random.default_rng(0)))


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
        {**RESIDUAL, **EVERY_TERM},
        {**FAITHFUL, "residual_blocks": True, "hidden": (8, 8, 3, 3, 8), "dropout": 0.25},
        {**RESIDUAL, **EVERY_TERM, "residual_blocks": True},
        {**FAITHFUL, "output": "classes"},
        {**RESIDUAL, **EVERY_TERM, "output": "classes"},
        {**RESIDUAL, **EVERY_TERM, "output": "classes", "classes": "five", "dropout": 0.25},
    ],
)
@pytest.mark.parametrize(
    ("kind", "seed"), [(AutoencoderConfig, 0), (AutoencoderConfig, 1), (QueryMLPConfig, 0)]
)
@pytest.mark.parametrize("dense", [False, True])
def test_loss_and_gradients_are_those_of_the_dense_formulation(kind, values, seed, dense):
    task = example_task(seed, dense, kind=kind, **values)
    dense_form, share = DenseForm(task), values.get("dropout", 0)
    for number, plan in enumerate(task.batches(np.random.default_rng(seed))):
        draws = [torch.Generator().manual_seed(number) for _ in range(2)]

        def make_drop(number=number):
            draw = torch.Generator().manual_seed(number)

            def drop(values):
                if not share:
                    return values
                kept = _random_bytes(values, draw, (0, len(values))) >= 256 * share
                return values * kept / (1 - share)

            return drop

        loss = dense_form.loss(plan, make_drop)
        wanted = dense_form.gradients(loss + dense_form.penalty(plan))
        batch = task.batch(plan)
        assert torch.allclose(task.loss(batch, draws[0])[0], loss, rtol=0, atol=1e-10)
        _, gradients = task.gradients(batch, draws[1])
        assert list(gradients) == list(wanted)
        for name, gradient in gradients.items():
            assert torch.allclose(gradient.to_dense(), wanted[name], rtol=0, atol=1e-10), name


def test_a_perfect_prediction_has_no_gradient():
    """The root mean squared error is not differentiable at zero: a division would give NaN."""
    task = example_task(**FAITHFUL)
    batch = task.batch(first_plan(task))
    errors, _ = task.gradients(batch)
    batch.targets.add_(errors)
    _, gradients = task.gradients(batch)
    assert not any(gradient.to_dense().any() for gradient in gradients.values())


def test_a_step_moves_the_weights_as_the_optimiser_would_with_dense_gradients():
    task = example_task(**FAITHFUL)
    plan, dense_form = first_plan(task), DenseForm(task)
    wanted = dense_form.gradients(dense_form.loss(plan))
    task.step(task.prepare(plan), share=0.0, generator=torch.Generator())
    for name, before in dense_form.weights.items():
        # Adam's first step is the learning rate times the sign of a gradient that is not tiny.
        is_clear = wanted[name].abs() > 1e-4
        moved = (before - task.parameters[name])[is_clear]
        assert torch.allclose(moved, 1e-4 * wanted[name][is_clear].sign(), rtol=1e-3)


def test_the_linear_schedule_takes_smaller_steps_later():
    moved = []
    for share in (0.0, 0.75):
        task = example_task(schedule="linear", **FAITHFUL)
        before = task.parameters["middle.0"].detach().clone()
        task.step(task.prepare(first_plan(task)), share, torch.Generator())
        moved.append((task.parameters["middle.0"] - before).abs().max().item())
    assert moved[1] == pytest.approx(0.25 * moved[0], rel=1e-3)


def test_state_and_restore_continue_a_training():
    tasks = [example_task(**RESIDUAL) for _ in range(2)]
    plans = list(tasks[0].batches(np.random.default_rng(0)))
    generator = torch.Generator()
    tasks[0].step(tasks[0].prepare(plans[0]), 0.0, generator)
    tasks[1].restore(tasks[0].state())
    for task in tasks:
        task.step(task.prepare(plans[1]), 0.0, generator)
    states = [task.state() for task in tasks]
    assert all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
