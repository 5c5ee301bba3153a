"""Adam (Kingma & Ba 2015), on whole tensors or on chosen rows of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.core.training.rows import Rates, Terms, step_on_rows

#: numbers of a chunk of rows that are brought together for an update: four such stay in the
#: processor's cache, while on a GPU few large steps are best
CHUNK = {"cpu": 1 << 20, "cuda": 1 << 27}


class Adam:
    """Adam with weight decay decoupled from the gradient, by torch's own fused step.

    A row update is that of torch's SparseAdam: the moments and weights of the other rows stay as
    they are, while dense Adam would go on moving them by their decaying momentum. Bias correction
    counts the steps of the whole tensor in both; epsilon is added after it, as in dense Adam.
    """

    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def __init__(self, weight_decay: float = 0.0) -> None:
        self.weight_decay = weight_decay
        self.steps: dict[str, int] = {}
        self.means: dict[str, torch.Tensor] = {}
        self.squares: dict[str, torch.Tensor] = {}
        self._chunks: dict[tuple[int, ...], torch.Tensor] = {}

    def update(
        self,
        name: str,
        weights: torch.Tensor,
        gradient: torch.Tensor,
        rate: float,
        rows: torch.Tensor | None = None,
    ) -> None:
        """Change ``weights`` in place; with ``rows``, all different, the gradient is of these."""
        whole = self._begun(name, weights)
        if rows is None:
            self._step(name, whole, gradient, rate)
            return
        width = weights[0].numel()
        size = max(1, min(len(weights), CHUNK[weights.device.type] // width))
        parts = self._chunk((3, size, *weights.shape[1:]), weights)
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            part = parts[:, : len(chosen)]
            for tensor, place in zip(whole, part, strict=True):
                torch.index_select(tensor, 0, chosen, out=place)
            weight, mean, square = part
            self._step(name, (weight, mean, square), gradient[start : start + size], rate)
            for tensor, place in zip(whole, part, strict=True):
                tensor.index_copy_(0, chosen, place)

    def update_summed(
        self, name: str, weights: torch.Tensor, terms: Terms, rate: float, rows: torch.Tensor
    ) -> None:
        """The same to rounding, of a gradient that is not yet added up and can be compiled."""
        whole = self._begun(name, weights)
        count = self.steps[name]
        rates = Rates(
            mean=1 - self.beta1,
            square=1 - self.beta2,
            root=(1 - self.beta2**count) ** -0.5,
            epsilon=self.epsilon,
            step=rate / (1 - self.beta1**count),
            kept=1 - rate * self.weight_decay,
        )
        step_on_rows(whole, rows, terms, rates)

    def _begun(
        self, name: str, weights: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Weights, means and squares of a tensor whose next step begins."""
        if name not in self.steps:
            self.steps[name] = 0
            self.means[name] = torch.zeros_like(weights)
            self.squares[name] = torch.zeros_like(weights)
        self.steps[name] += 1
        return weights, self.means[name], self.squares[name]

    def _step(
        self, name: str, whole: tuple[torch.Tensor, ...], gradient: torch.Tensor, rate: float
    ) -> None:
        weights, mean, square = whole
        count = torch.full((), float(self.steps[name]), device=weights.device)
        torch._fused_adamw_(
            [weights],
            [gradient],
            [mean],
            [square],
            [],
            [count],
            lr=rate,
            beta1=self.beta1,
            beta2=self.beta2,
            weight_decay=self.weight_decay if weights.ndim > 1 else 0.0,  # biases do not decay
            eps=self.epsilon,
            amsgrad=False,
            maximize=False,
        )

    def _chunk(self, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
        """Room for a chunk, kept: the pages of new room cost more than the arithmetic."""
        if shape not in self._chunks:
            self._chunks[shape] = torch.empty(shape, dtype=like.dtype, device=like.device)
        return self._chunks[shape]

    def state(self) -> dict[str, NDArray]:
        return {
            f"adam.{kind}.{name}": tensor.cpu().numpy()
            for kind, tensors in (("mean", self.means), ("square", self.squares))
            for name, tensor in tensors.items()
        } | {f"adam.steps.{name}": np.asarray([count]) for name, count in self.steps.items()}

    def restore(self, state: Mapping[str, NDArray], device: str) -> None:
        for key in state:
            if not key.startswith("adam."):
                continue
            _, kind, name = key.split(".", 2)
            if kind == "steps":
                self.steps[name] = int(state[key][0])
            else:
                target = self.means if kind == "mean" else self.squares
                target[name] = torch.from_numpy(np.array(state[key])).to(device)
