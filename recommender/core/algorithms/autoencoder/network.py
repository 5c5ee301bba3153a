"""The networks: a row of weights per item at both ends, fully connected ReLU layers between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import embedding, linear

from recommender.core.algorithms.autoencoder.first_layer import FirstLayer
from recommender.core.algorithms.autoencoder.sparse_batch import WithheldBatch
from recommender.core.configs.networks import AutoencoderConfig

#: sets a random share of values to zero, in training
Drop = Callable[[torch.Tensor], torch.Tensor]


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


class ResidualBlock(nn.Module):
    """Two layers with a skip connection around both (He et al., CVPR 2016), before the last ReLU.

    Between different widths the skip connection is a linear projection.
    """

    def __init__(self, n_inputs: int, width: int) -> None:
        super().__init__()
        self.inner = MiddleLayer(n_inputs, width)
        self.outer = MiddleLayer(width, width)
        self.projection = None if n_inputs == width else nn.Linear(n_inputs, width, bias=False)

    def forward(self, values: torch.Tensor, drop: Drop | None = None) -> torch.Tensor:
        """(E, n_inputs) -> (E, width)"""
        skipped = values if self.projection is None else self.projection(values)
        inner = self.inner(values).relu_()
        outer: torch.Tensor = self.outer(drop(inner) if drop else inner)
        return outer + skipped


class LastLayer(nn.Module):
    """A linear layer of C outputs for each item, of which only those of the batch are computed.

    Its rows are in order of item, then output.
    """

    def __init__(self, n_items: int, width: int, columns: int = 1) -> None:
        super().__init__()
        self.columns = columns
        self.weight = nn.Parameter(torch.empty(n_items * columns, width))
        self.bias = nn.Parameter(torch.empty(n_items * columns))

    def forward(self, hidden: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """(P, C) outputs for rows of ``hidden`` (P, H); both tensors have sparse gradients."""
        places = items[:, None] * self.columns + torch.arange(self.columns, device=items.device)
        rows = embedding(places, self.weight, sparse=True)  # (P, C, H)
        biases = torch.gather(self.bias, 0, places.flatten(), sparse_grad=True)
        return (rows * hidden[:, None]).sum(2) + biases.view(places.shape)


class ProfileNetwork(nn.Module, ABC):
    """ReLU layers of the widths ``config.hidden`` over the sum of a profile's rows of weights.

    ``half`` is the precision of the products between the hidden layers, if it is not that of the
    weights. Subclasses say how C = ``columns`` outputs for an item follow.
    """

    tables: ClassVar[tuple[str, ...]]  #: stored parameters with sparse gradients
    inputs_per_item: ClassVar[int] = 1

    def __init__(
        self,
        config: AutoencoderConfig,
        n_items: int,
        columns: int = 1,
        half: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.config, self.n_items, self.columns, self.half_dtype = config, n_items, columns, half
        self.first = FirstLayer(self.inputs_per_item * n_items, config.hidden[0])
        kind = ResidualBlock if config.residual_blocks else MiddleLayer
        self.middle = nn.ModuleList(kind(a, b) for a, b in pairwise(config.hidden))
        self.bottleneck = config.hidden.index(min(config.hidden))

    @abstractmethod
    def forward(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(P, C) outputs and (E, narrowest width) bottleneck; dropout only with a generator."""

    @abstractmethod
    def read(self, sums: torch.Tensor) -> torch.Tensor:
        """(m, H1) pre-activations -> (m, W): all that is computed once for each profile."""

    @abstractmethod
    def outputs(self, read: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        """(n, C) for n profiles as ``read`` (n, W), each with an item."""

    @abstractmethod
    def all_outputs(self, read: torch.Tensor) -> torch.Tensor:
        """(m, n_items, C) for m profiles as ``read`` (m, W)."""

    def hidden(
        self, sums: torch.Tensor, drop: Drop | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """(E, H1) pre-activations of the first layer -> the last hidden layer, the bottleneck."""
        drop = drop or nn.Identity()
        layers = [drop(sums.relu_())]
        with torch.autocast(sums.device.type, self.half_dtype, enabled=self.half_dtype is not None):
            for layer in self.middle:
                given = (layers[-1], drop) if isinstance(layer, ResidualBlock) else layers[-1:]
                layers.append(drop(layer(*given).relu_()))
        return layers[-1].to(sums.dtype), layers[self.bottleneck].to(sums.dtype)

    def dropout(self, batch: WithheldBatch, generator: torch.Generator | None) -> Drop:
        """Drops the same values in all rows of an example, for E rows or P rows."""
        dropped = round(256 * self.config.dropout)
        if generator is None or not dropped:
            return nn.Identity()
        examples = (batch.first_example, batch.all_examples)

        def drop(values: torch.Tensor) -> torch.Tensor:
            is_kept = _random_bytes(values[: batch.n_examples], generator, examples) >= dropped
            if len(values) > len(is_kept):
                is_kept = is_kept[batch.example_of]
            return values * is_kept.to(values.dtype).mul_(256 / (256 - dropped))

        return drop

    def stored_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters by their names in artefacts and checkpoints: without ``.weight``."""
        return {name.removesuffix(".weight"): own for name, own in self.named_parameters()}


class Network(ProfileNetwork):
    """The autoencoder: a linear layer from the last hidden layer to the outputs of every item."""

    tables = ("first", "last", "last.bias")

    def __init__(
        self,
        config: AutoencoderConfig,
        n_items: int,
        columns: int = 1,
        half: torch.dtype | None = None,
    ) -> None:
        super().__init__(config, n_items, columns, half)
        self.last = LastLayer(n_items, config.hidden[-1], columns)

    def forward(
        self, batch: WithheldBatch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        hidden, bottleneck = self.hidden(self.first(batch), self.dropout(batch, generator))
        return self.outputs(batch.of_outputs(hidden), batch.items), bottleneck

    def read(self, sums: torch.Tensor) -> torch.Tensor:
        return self.hidden(sums)[0]

    def outputs(self, read: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(read, items)
        return found

    def all_outputs(self, read: torch.Tensor) -> torch.Tensor:
        return linear(read, self.last.weight, self.last.bias).view(len(read), -1, self.columns)


def draw_network(
    config: AutoencoderConfig,
    n_items: int,
    seed: int,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    half: torch.dtype | None = None,
    *,
    columns: int = 1,
    kind: type[ProfileNetwork] = Network,
) -> ProfileNetwork:
    """Xavier weights and zero biases (paper, section III-A), the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):  # otherwise Linear would draw weights of its own
        network = kind(config, n_items, columns, half)
    network = network.to(dtype).to_empty(device="cpu")
    for name, own in network.named_parameters():
        if name.endswith("bias"):
            nn.init.zeros_(own)
        else:
            nn.init.xavier_uniform_(own, generator=generator)
    return network.to(device)


def load_network(
    config: AutoencoderConfig,
    parameters: Mapping[str, torch.Tensor],
    *,
    columns: int = 1,
    kind: type[ProfileNetwork] = Network,
) -> ProfileNetwork:
    """The network with stored parameters, which it takes over without a copy."""
    with torch.device("meta"):
        network = kind(config, len(parameters["first"]) // kind.inputs_per_item, columns)
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
