"""The network: a row of weights per movie at both ends, fully connected ReLU layers between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import torch

from recommender.core.algorithms.products import affine_relu, product
from recommender.core.algorithms.withheld import (
    Batch,
    first_gradient,
    first_sums,
    outputs,
    outputs_gradient,
)
from recommender.core.systems import AutoencoderConfig
from recommender.core.training import several
from recommender.core.training.rows import Terms


@dataclass
class Gradient:
    """Of one tensor, or of the ``rows`` of it that a batch touches; the others have none."""

    found: torch.Tensor | Terms  #: added up where somebody has asked for ``values``
    rows: torch.Tensor | None = None

    @property
    def values(self) -> torch.Tensor:
        if isinstance(self.found, Terms):
            self.found = self.found.added_up()
        return self.found


class Network:
    """Fully connected ReLU layers; Xavier weights, zero biases, a linear output.

    ``first`` (n_items x H1) and ``last`` (n_items x H7) hold one row per movie, so that a step
    reads and writes the rows of its own movies only. ``half`` is the precision of the products
    between the layers, where it is not that of the weights.
    """

    def __init__(
        self,
        parameters: Mapping[str, torch.Tensor],
        config: AutoencoderConfig,
        half: torch.dtype | None = None,
    ) -> None:
        self.parameters = dict(parameters)
        self.config, self.half = config, half
        self.n_middle = len(config.hidden) - 1

    @classmethod
    def drawn(
        cls,
        config: AutoencoderConfig,
        n_items: int,
        seed: int,
        device: str,
        dtype: torch.dtype,
        half: torch.dtype | None = None,
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
        return cls(parameters, config, half)

    def to(self, device: str) -> Network:
        moved = {name: tensor.to(device) for name, tensor in self.parameters.items()}
        return Network(moved, self.config, self.half if device.startswith("cuda") else None)

    def activations(self, sums: torch.Tensor) -> torch.Tensor:
        """(n, H1) sums of first-layer rows, which are lost -> (n, H7), without dropout."""
        return self._layers(sums, None)[-1].to(sums.dtype)

    def errors(self, batch: Batch) -> torch.Tensor:
        """(E) prediction minus withheld rating, without dropout."""
        hidden = self.activations(first_sums(batch, self.parameters["first"]))
        return self._errors(batch, hidden)[: batch.n_examples]

    @torch.no_grad()
    def gradients(
        self, batch: Batch, generator: torch.Generator | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, dict[str, Gradient]]:
        """(loss, errors (E), gradient of each tensor), of all processes' examples together.

        Written out, not left to autograd: so that the large activations are changed in place.
        """
        sums = first_sums(batch, self.parameters["first"])
        dtype = sums.dtype
        layers = self._layers(sums, generator, (batch.first_example, batch.all_examples))
        hidden = layers[-1].to(dtype)
        found = self._errors(batch, hidden)
        loss, errors, slopes = self._loss(found, layers, batch.n_examples)
        slopes = slopes * batch.output_share

        values, rows, biases = outputs_gradient(batch, slopes, hidden, self.parameters["last"])
        gradients = {
            "last": Gradient(rows, batch.targets),
            "last.bias": Gradient(biases, batch.targets),
        }
        values = values.to(layers[-1].dtype)
        for layer in reversed(range(self.n_middle)):
            values = self._through_relu(values, layers[layer + 1], layer + 1, len(errors))
            weights = self.parameters[f"middle.{layer}"].to(values.dtype)
            gradients[f"middle.{layer}"] = Gradient(product(values.T, layers[layer], dtype))
            gradients[f"middle.{layer}.bias"] = Gradient(values.sum(0, dtype=dtype))
            values = product(values, weights)
        values = self._through_relu(values, layers[0], 0, len(errors)).to(dtype)
        gradients["first.bias"] = Gradient(values.sum(0))
        gradients["first"] = Gradient(first_gradient(batch, values), batch.profiles.items)
        gradients = {name: _of_all_processes(gradients[name]) for name in self.parameters}
        return loss + self._penalty(gradients), errors, gradients

    def _layers(
        self,
        sums: torch.Tensor,
        generator: torch.Generator | None,
        place: tuple[int, int] | None = None,
    ) -> list[torch.Tensor]:
        """The values of every hidden layer; ``sums`` are overwritten."""
        values = sums.add_(self.parameters["first.bias"]).relu_()
        layers = [self._drop(values.to(self.half or values.dtype), generator, place)]
        for layer in range(self.n_middle):
            weights = self.parameters[f"middle.{layer}"].to(layers[-1].dtype)
            bias = self.parameters[f"middle.{layer}.bias"].to(layers[-1].dtype)
            values = affine_relu(layers[-1], weights, bias)
            layers.append(self._drop(values, generator, place))
        return layers

    def _errors(self, batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
        """(P) output minus what is wanted of it."""
        found = outputs(batch, hidden, self.parameters["last"])
        found += self.parameters["last.bias"][batch.movies]
        return found * batch.output_share + batch.baseline - batch.wanted

    def _loss(
        self, found: torch.Tensor, layers: list[torch.Tensor], n: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(loss, errors of all processes, slope of the loss by each of ``found`` (P))."""
        errors = several.gathered(found[:n])
        loss = (errors**2).mean()
        slope = 2 * found[:n] / len(errors)
        if self.config.loss == "rmse":
            root = loss.clamp_min(1e-12).sqrt()
            slope = torch.where(loss > 1e-12, slope / (2 * root), 0)  # no slope at 0
            loss = root
        if weight := self.config.unrelated_weight:
            unrelated = several.gathered(found[n:])
            count = max(1, len(unrelated))
            loss = loss + weight * (unrelated**2).sum() / count
            slope = torch.cat([slope, 2 * weight * found[n:] / count])
        if self.config.sparsity:
            code = several.gathered(layers[self.bottleneck].sum(1, dtype=found.dtype))
            loss = loss + self.config.sparsity * code.mean()
        return loss, errors, slope

    @property
    def bottleneck(self) -> int:
        return self.config.hidden.index(min(self.config.hidden))

    def _through_relu(
        self, gradient: torch.Tensor, values: torch.Tensor, layer: int, examples: int
    ) -> torch.Tensor:
        """Of a layer's values -> of its pre-activations, in place."""
        if layer == self.bottleneck and self.config.sparsity:
            gradient.add_(self.config.sparsity / examples)
        if dropped := self._dropped():
            gradient.mul_(256 / (256 - dropped))  # what was dropped is 0, as what was below 0
        return torch.ops.aten.threshold_backward.grad_input(
            gradient, values, 0, grad_input=gradient
        )

    def _penalty(self, gradients: Mapping[str, Gradient]) -> torch.Tensor | float:
        """L1 and L2 of the weights: added to the gradients, in place; what they add to the loss."""
        l1, l2 = self.config.l1, self.config.l2
        penalty: torch.Tensor | float = 0.0
        if not l1 and not l2:
            return penalty
        for name, gradient in gradients.items():
            weights = self.parameters[name]
            if weights.ndim == 1:
                continue  # biases carry no penalty
            if gradient.rows is not None:
                weights = weights.index_select(0, gradient.rows)
            penalty = penalty + l1 * weights.abs().sum() + l2 * (weights**2).sum()
            gradient.values.add_(weights.sign(), alpha=l1).add_(weights, alpha=2 * l2)
        return penalty

    def _drop(
        self,
        values: torch.Tensor,
        generator: torch.Generator | None,
        place: tuple[int, int] | None = None,
    ) -> torch.Tensor:
        """Dropout, in place, where there is a generator."""
        dropped = self._dropped()
        if generator is None or not dropped:
            return values
        kept = _bytes(values, generator, place or (0, len(values))) >= dropped
        return values.mul_(kept).mul_(256 / (256 - dropped))

    def _dropped(self) -> int:
        """Of 256 values."""
        return round(256 * self.config.dropout)


def _bytes(
    values: torch.Tensor, generator: torch.Generator, place: tuple[int, int]
) -> torch.Tensor:
    """A random byte for each of ``values``, rows ``place[0]``... of ``place[1]`` rows in all.

    Drawn for the rows of all processes, so that they draw what one process would; eight bytes to
    a draw, because bernoulli_ on the CPU took a sixth of a step.
    """
    first, rows = place
    width = values.shape[1]
    words = torch.empty(-(-rows * width // 8), dtype=torch.int64, device=values.device)
    words.random_(-(2**63), None, generator=generator)
    return words.view(torch.uint8)[first * width :][: values.numel()].view(values.shape)


def _of_all_processes(gradient: Gradient) -> Gradient:
    if several.rank_and_size()[1] == 1:
        return gradient
    if gradient.rows is None:
        return Gradient(several.added_up(gradient.values))
    rows, values = several.added_up_rows(gradient.rows, gradient.values)
    return Gradient(values, rows)
