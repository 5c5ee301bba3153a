import numpy as np
import pytest
import torch

from recommender.core.algorithms.autoencoder.network import draw_network
from recommender.core.algorithms.query_mlp.network import QueryNetwork
from recommender.core.configs.networks import QueryMLPConfig
from tests.recommender.core.algorithms.autoencoder.tasks import config_of, make_task
from tests.recommender.core.matrices import random_ratings


def drawn(n_items=6, columns=1):
    config = QueryMLPConfig(hidden=(20, 8))
    return draw_network(config, n_items, 0, columns=columns, kind=QueryNetwork)


def test_the_first_layer_reads_the_profile_and_the_query_as_one_vector():
    """Xavier counts the inputs of both."""
    weights = drawn(n_items=200).first.weight.detach()
    assert weights.shape == (400, 20)
    assert weights.abs().max() == pytest.approx((6 / 420) ** 0.5, rel=0.01)


def test_all_outputs_are_those_of_the_single_queries(monkeypatch):
    monkeypatch.setattr("recommender.core.algorithms.query_mlp.network.PAIRS_AT_ONCE", 7)
    network = drawn(columns=3)
    read = network.read(torch.randn(4, 20))
    rows, items = torch.arange(24) // 6, torch.arange(24) % 6
    single = network.outputs(read[rows], items).view(4, 6, 3)
    assert torch.allclose(network.all_outputs(read), single, atol=1e-6)


def test_a_query_without_weights_leaves_the_prediction_to_the_profile():
    network = drawn()
    with torch.no_grad():
        network.first.weight[6:] = 0
    found = network.all_outputs(torch.randn(1, 20)).flatten()
    assert torch.allclose(found, found[0].expand(6))


def test_the_queries_of_one_example_drop_the_same_values():
    config = config_of(QueryMLPConfig, hidden=(50,), dropout=0.5, unrelated_weight=1.0)
    task = make_task(random_ratings(0, n_users=30, n_items=20).matrix(), config)
    with torch.no_grad():
        task.network.first.weight.zero_()
        task.network.first.bias.fill_(1)
    batch = next(map(task.batch, task.batches(np.random.default_rng(0))))
    outputs, _ = task.network(batch, torch.Generator().manual_seed(0))
    assert len(outputs) > batch.n_examples
    own = outputs[batch.example_of[batch.n_examples :]]
    assert torch.allclose(outputs[batch.n_examples :], own)
