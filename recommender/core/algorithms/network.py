"""The network: a row of weights per movie at both ends, fully connected ReLU layers between."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch.nn.functional import linear

from recommender.core.algorithms.withheld import Batch, TargetRow, WithheldSum
from recommender.core.systems import AutoencoderConfig


class Network:
    """Fully connected ReLU layers; Xavier weights, zero biases, a linear output.

    ``first`` (n_items x H1) and ``last`` (n_items x H7) hold one row per movie, so that a step
    reads and writes the rows of its own movies only.
    """

    def __init__(self, parameters: Mapping[str, torch.Tensor], config: AutoencoderConfig) -> None:
        self.parameters = dict(parameters)
        self.config = config
        self.n_middle = len(config.hidden) - 1

    @classmethod
    def drawn(
        cls, config: AutoencoderConfig, n_items: int, seed: int, device: str, dtype: torch.dtype
    ) -> Network:
        generator = torch.Generator().manual_seed(seed)  # on the CPU: the same on every device

        def xavier(rows: int, columns: int) -> torch.Tensor:
            weights = torch.empty(rows, columns, dtype=dtype)
            return torch.nn.init.xavier_uniform_(weights, generator=generator).to(device)

        def zeros(width: int) -> torch.Tensor:
            return torch.zeros(width, dtype=dtype, device=device)

        hidden = config.hidden
        parameters = {"first": xavier(n_items, hidden[0]), "first.bias": zeros(hidden[0])}
        for layer, (wide, narrow) in enumerate(pairwise(hidden)):
            parameters[f"middle.{layer}"] = xavier(narrow, wide)
            parameters[f"middle.{layer}.bias"] = zeros(narrow)
        parameters |= {"last": xavier(n_items, hidden[-1]), "last.bias": zeros(n_items)}
        return cls(parameters, config)

    def to(self, device: str) -> Network:
        moved = {name: tensor.to(device) for name, tensor in self.parameters.items()}
        return Network(moved, self.config)

    def activations(
        self,
        sums: torch.Tensor,
        parameters: Mapping[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """(n, H1) sums of first-layer rows -> (n, H7); dropout where there is a generator."""
        values = self._drop(torch.relu(sums + parameters["first.bias"]), generator)
        for layer in range(self.n_middle):
            weights, bias = parameters[f"middle.{layer}"], parameters[f"middle.{layer}.bias"]
            values = self._drop(torch.relu(linear(values, weights, bias)), generator)
        return values

    def _drop(self, values: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        if generator is None or not self.config.dropout:
            return values
        # One random byte a value, eight to a draw: bernoulli_ on the CPU took a sixth of a step.
        dropped = round(256 * self.config.dropout)
        words = torch.empty(-(-values.numel() // 8), dtype=torch.int64, device=values.device)
        words.random_(-(2**63), None, generator=generator)
        mask = words.view(torch.uint8)[: values.numel()].view(values.shape) >= dropped
        return values * mask * (256 / (256 - dropped))

    def errors(
        self,
        batch: Batch,
        parameters: Mapping[str, torch.Tensor],
        generator: torch.Generator | None = None,
    ) -> torch.Tensor:
        """(E) prediction minus withheld rating; ``parameters`` have the batch's rows only."""
        sums = WithheldSum.apply(parameters["first"], batch)
        hidden = self.activations(sums, parameters, generator)
        output = TargetRow.apply(hidden, parameters["last"], batch)
        biases = TargetRow.apply(torch.ones_like(hidden[:, :1]), parameters["last.bias"], batch)
        return (output + biases) * batch.output_share + batch.baseline - batch.stars

    def rows_of(self, batch: Batch) -> dict[str, torch.Tensor]:
        """For each tensor with a row per movie the rows that a batch touches."""
        return {"first": batch.items, "last": batch.targets, "last.bias": batch.targets}

    def view(self, batch: Batch) -> dict[str, torch.Tensor]:
        """The parameters that a batch needs, the large ones cut to its rows."""
        rows = self.rows_of(batch)
        cut = {
            name: tensor if name not in rows else tensor.index_select(0, rows[name])
            for name, tensor in self.parameters.items()
        }
        cut["last.bias"] = cut["last.bias"][:, None]  # (T, 1): a layer of width one
        return cut

    def gradients(
        self, batch: Batch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
        """(loss, errors (E), gradient of each tensor); of the large ones on the batch's rows."""
        leaves = {
            name: tensor.detach().requires_grad_() for name, tensor in self.view(batch).items()
        }
        errors = self.errors(batch, leaves, generator)
        loss = (errors**2).mean()
        if self.config.loss == "rmse":
            loss = loss.clamp_min(1e-12).sqrt()  # the root has no slope at 0
        found = torch.autograd.grad(loss, list(leaves.values()))
        gradients = dict(zip(leaves, found, strict=True))
        gradients["last.bias"] = gradients["last.bias"][:, 0]
        return loss.detach(), errors.detach(), gradients
