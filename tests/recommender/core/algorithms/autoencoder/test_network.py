import numpy as np
import pytest
import torch
from torch import nn

from recommender.core.algorithms.autoencoder.network import (
    MiddleLayer,
    ResidualBlock,
    draw_network,
    load_network,
)
from recommender.core.configs.networks import AutoencoderConfig
from tests.recommender.core.algorithms.autoencoder.tasks import config_of, make_task
from tests.recommender.core.matrices import random_ratings


def test_weights_are_drawn_by_xavier_and_biases_are_zero():
    network = draw_network(AutoencoderConfig(hidden=(200, 100)), 300, 0)
    shapes = {"first": (300, 200), "middle.0": (100, 200), "last": (300, 100)}
    parameters = network.stored_parameters()
    for name, (rows, columns) in shapes.items():
        bound = (6 / (rows + columns)) ** 0.5
        weights = parameters[name].detach()
        assert weights.shape == (rows, columns)
        assert weights.abs().max() <= bound
        assert weights.std() == pytest.approx(bound / 3**0.5, rel=0.02)
    assert not any(tensor.any() for name, tensor in parameters.items() if "bias" in name)


def test_a_stored_network_is_loaded():
    network = draw_network(AutoencoderConfig(hidden=(4, 3)), 5, 0)
    stored = {name: own.detach().clone() for name, own in network.stored_parameters().items()}
    found = load_network(network.config, stored).stored_parameters()
    assert list(found) == list(stored)
    assert all(torch.equal(found[name], stored[name]) for name in stored)


def test_class_outputs_are_drawn_like_one_wide_linear_layer():
    network = draw_network(AutoencoderConfig(hidden=(20,)), 30, 0, columns=10)
    weights = network.stored_parameters()["last"].detach()
    assert weights.shape == (300, 20)
    assert weights.abs().max() == pytest.approx((6 / 320) ** 0.5, rel=0.01)


def test_all_outputs_are_those_of_the_single_items():
    network = draw_network(AutoencoderConfig(hidden=(20,)), 6, 0, columns=3)
    read = network.read(torch.randn(4, 20))
    rows, items = torch.arange(24) // 6, torch.arange(24) % 6
    single = network.outputs(read[rows], items).view(4, 6, 3)
    assert torch.allclose(network.all_outputs(read), single, atol=1e-6)


def test_a_residual_block_without_weights_passes_its_values_on():
    block = ResidualBlock(5, 5)
    for own in block.parameters():
        nn.init.zeros_(own)
    values = torch.randn(3, 5)
    assert torch.equal(block(values), values)


def test_a_residual_block_projects_between_different_widths():
    block = ResidualBlock(5, 2)
    shapes = {name: tuple(own.shape) for name, own in block.named_parameters()}
    assert shapes["projection.weight"] == (2, 5)
    assert "projection.bias" not in shapes
    assert block(torch.randn(3, 5)).shape == (3, 2)


def test_dropout_drops_its_share_and_keeps_the_mean():
    matrix = random_ratings(0, n_users=200, n_items=30).matrix()
    config = config_of(hidden=(100,), dropout=0.25, batch_users=200)
    task = make_task(matrix, config)
    with torch.no_grad():
        task.network.first.weight.zero_()
        task.network.first.bias.fill_(1)
    batch = task.batch(next(task.batches(np.random.default_rng(0))))
    _, values = task.network(batch, torch.Generator().manual_seed(0))
    assert (values == 0).double().mean() == pytest.approx(0.25, abs=0.01)
    assert values.detach().mean() == pytest.approx(1, abs=0.02)
    _, values = task.network(batch)
    assert (values == 1).all()


def test_a_wide_layer_equals_torchs_to_rounding():
    torch.manual_seed(0)
    layer = MiddleLayer(512, 600)
    values = torch.randn(7, 512, requires_grad=True)
    wanted = torch.nn.functional.linear(values, layer.weight, layer.bias)
    found = layer(values)
    assert "Mkldnn" in _origins(found) or not torch.backends.mkldnn.is_available()
    sources, slope = (values, layer.weight, layer.bias), torch.randn(7, 600)
    pairs = zip(
        (found, *torch.autograd.grad(found, sources, slope)),
        (wanted, *torch.autograd.grad(wanted, sources, slope)),
        strict=True,
    )
    for ours, theirs in pairs:
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def _origins(values: torch.Tensor) -> str:
    """The names of the last two operations of ``values``."""
    node = values.grad_fn
    return f"{node.name()} {node.next_functions[0][0].name()}"


def test_a_wide_layer_takes_no_examples_and_keeps_what_is_not_a_number():
    layer = MiddleLayer(512, 600)
    assert layer(torch.empty(0, 512)).shape == (0, 600)
    assert layer(torch.full((2, 512), torch.nan)).relu().isnan().all()


def test_a_wide_layer_obeys_autocast():
    layer, values = MiddleLayer(512, 600), torch.randn(3, 512)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(values).dtype == torch.bfloat16
