"""The tensors of a batch against its plan."""

import numpy as np
import pytest
import torch

from tests.recommender.core.algorithms.autoencoder.tasks import RESIDUAL, config_of, make_task
from tests.recommender.core.matrices import random_ratings

MATRIX = random_ratings(0, n_users=12, n_items=10, share=0.5).matrix()


def batch_of(dense=False, **values):
    task = make_task(MATRIX, config_of(**values), dense=dense)
    plan = next(task.batches(np.random.default_rng(0)))
    return task, plan, task.batch(plan)


def test_the_first_outputs_are_the_withheld_ratings_in_order():
    _, plan, batch = batch_of(unrelated_weight=0.3, unrelated_per_example=2)
    assert batch.withheld_items.tolist() == MATRIX.indices[plan.withheld].tolist()
    assert batch.stars.tolist() == MATRIX.data[plan.withheld].tolist()
    assert batch.example_of[: batch.n_examples].tolist() == list(range(batch.n_examples))


@pytest.mark.parametrize("values", [{}, RESIDUAL])
def test_the_other_outputs_are_unrated_items_with_the_damped_bias_as_target(values):
    task, plan, batch = batch_of(unrelated_weight=0.3, unrelated_per_example=2, **values)
    items, examples = batch.items[batch.n_examples :], batch.example_of[batch.n_examples :]
    users = plan.users[plan.profile_of[examples.numpy()]]
    assert 0 < len(items) < plan.drawn.size
    assert not MATRIX.toarray()[users, items].any()
    bias = task.encoding.bias.grid(MATRIX)[users, items]
    assert batch.targets[batch.n_examples :].numpy() == pytest.approx(bias)
    baselines = batch.baselines[batch.n_examples :]
    assert baselines.numpy() == pytest.approx(bias if task.encoding.residual else 0 * bias)


@pytest.mark.parametrize("dense", [False, True])
def test_the_kept_inputs_are_those_that_no_example_withholds(dense):
    task, plan, batch = batch_of(dense)
    kept = task.inputs.toarray()[plan.users]
    kept[plan.profile_of, MATRIX.indices[plan.withheld]] = 0
    found = batch.profiles.sums(torch.eye(10, dtype=torch.float64))
    assert np.array_equal(found.numpy(), kept)
