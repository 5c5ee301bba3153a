"""The network: one row of weights per item at both ends, fully connected ReLU layers between."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import embedding, linear

from recommender.core.algorithms.autoencoder.first_layer import FirstLayer
from recommender.core.algorithms.autoencoder.sparse_batch import WithheldBatch
from recommender.core.configs.networks import AutoencoderConfig


class MiddleLayer(nn.Linear):
    """A linear layer that oneDNN computes if it is wide and on a processor.

    torch multiplies ordinary float32 tensors with MKL, which takes twice as long on an AMD EPYC.
    Narrow layers gain nothing, because oneDNN prepares each product anew for every number of
    examples (docs/decisions/0019).
    """

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not (
            self.weight.numel() >= 1 << 18
            and len(values) > 0
            and values.device.type == "cpu"
            and values.dtype == torch.float32
            and not torch.is_autocast_enabled("cpu")
            and torch.backends.mkldnn.is_available()
        ):
            return super().forward(values)
        return linear(values.to_mkldnn(), self.weight, self.bias).to_dense()


class LastLayer(nn.Module):
    """A linear layer (n_items, H) of which only the outputs of the batch are computed."""

    def __init__(self, n_items: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_items, width))
        self.bias = nn.Parameter(torch.empty(n_items))

    def forward(self, hidden: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """(P) outputs for rows of ``hidden`` (P, H); the gradients of both tensors are sparse."""
        rows = embedding(items, self.weight, sparse=True)
        return (rows * hidden).sum(1) + torch.gather(self.bias, 0, items, sparse_grad=True)


class Network(nn.Module):
    """ReLU layers of the widths ``config.hidden``, with a linear output for each item.

    ``half`` is the precision of the products between the hidden layers, if it is not that of the
    weights.
    """

    def __init__(
        self, config: AutoencoderConfig, n_items: int, half: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.config, self.half_dtype = config, half
        self.first = FirstLayer(n_items, config.hidden[0])
        self.middle = nn.ModuleList(MiddleLayer(a, b) for a, b in pairwise(config.hidden))
        self.last = LastLayer(n_items, config.hidden[-1])
        self.bottleneck = config.hidden.index(min(config.hidden))

    def forward(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(P) outputs and (E, narrowest width) bottleneck; dropout only with a generator."""

        def drop(values: torch.Tensor) -> torch.Tensor:
            dropped = round(256 * self.config.dropout)
            if generator is None or not dropped:
                return values
            rows = (batch.first_example, batch.all_examples)
            is_kept = _random_bytes(values, generator, rows) >= dropped
            return values * is_kept.to(values.dtype).mul_(256 / (256 - dropped))

        hidden, bottleneck = self.hidden(self.first(batch), drop)
        if len(batch.items) > len(hidden):
            hidden = embedding(batch.example_of, hidden)  # its gradient is deterministic on a GPU
        return self.last(hidden, batch.items), bottleneck

    def hidden(
        self, sums: torch.Tensor, drop: Callable[[torch.Tensor], torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(E, H1) pre-activations of the first layer -> the last hidden layer, the bottleneck."""
        drop = drop or nn.Identity()
        layers = [drop(sums.relu_())]
        with torch.autocast(sums.device.type, self.half_dtype, enabled=self.half_dtype is not None):
            for layer in self.middle:
                layers.append(drop(layer(layers[-1]).relu_()))
        return layers[-1].to(sums.dtype), layers[self.bottleneck].to(sums.dtype)

    def stored_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters by their names in artefacts and checkpoints: without ``.weight``."""
        return {name.removesuffix(".weight"): own for name, own in self.named_parameters()}


def draw_network(
    config: AutoencoderConfig,
    n_items: int,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    half: torch.dtype | None = None,
) -> Network:
    """Xavier weights and zero biases (paper, section III-A), the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):  # otherwise Linear would draw weights of its own
        network = Network(config, n_items, half)
    network = network.to(dtype).to_empty(device="cpu")
    for name, own in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(own)
        else:
            nn.init.xavier_uniform_(own, generator=generator)
    return network.to(device)


def load_network(config: AutoencoderConfig, parameters: Mapping[str, torch.Tensor]) -> Network:
    """The network with stored parameters, which it takes over without a copy."""
    with torch.device("meta"):
        network = Network(config, len(parameters["first"]))
    named = {
        name if name.endswith(".bias") else f"{name}.weight": tensor
        for name, tensor in parameters.items()
    }
    network.load_state_dict(named, assign=True)
    return network


def _random_bytes(
    values: torch.Tensor, generator: torch.Generator, rows: tuple[int, int]
) -> torch.Tensor:
    """A random byte for each of ``values`` (n, width), the rows from ``rows[0]`` of ``rows[1]``.

    Bytes are drawn for the rows of all processes, so that each example gets the same in one
    process. Eight bytes per draw: ``bernoulli_`` took a sixth of a training step on a processor.
    """
    first, all_rows = rows
    width = values.shape[1]
    words = torch.empty(-(-all_rows * width // 8), dtype=torch.int64, device=values.device)
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.uint8)[first * width :][: values.numel()].view(values.shape)
