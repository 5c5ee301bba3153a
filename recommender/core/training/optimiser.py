"""AdamW for tables of which a batch touches a few rows, and the state of optimisers as arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim.adamw import adamw

#: numbers updated at once: four such chunks stay in a processor's cache; a GPU prefers few steps
CHUNK = {"cpu": 1 << 18, "cuda": 1 << 27}
#: our name of each part of the state, and torch's
STATE = {"mean": "exp_avg", "square": "exp_avg_sq", "steps": "step"}


class RowAdamW(torch.optim.Optimizer):
    """AdamW (Loshchilov & Hutter, ICLR 2019) that changes only the rows with a gradient.

    Gradients are sparse COO tensors, as of ``torch.nn.Embedding(sparse=True)``. The other rows and
    their moments stay as they are, as in ``torch.optim.SparseAdam``; dense Adam would keep moving
    them by their decaying momentum. Bias correction counts the steps of the whole table. Unlike
    SparseAdam it decays weights, and adds epsilon where dense Adam does.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, defaults)
        self._room: dict[torch.Size, torch.Tensor] = {}

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = closure() if closure else None
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    self._update(table, table.grad.coalesce(), group)
        return loss

    def _update(self, table: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[table]
        if not state:
            state["step"] = torch.zeros((), device=table.device)
            state["exp_avg"] = torch.zeros_like(table)
            state["exp_avg_sq"] = torch.zeros_like(table)
        whole = (table, state["exp_avg"], state["exp_avg_sq"])
        before = state["step"].clone()
        beta1, beta2 = group["betas"]
        rows, values = gradient.indices()[0], gradient.values()
        size = max(1, CHUNK[table.device.type] // table[0].numel())
        for start in range(0, len(rows), size):
            chosen = rows[start : start + size]
            chunk = self._chunk(table, size)[:, : len(chosen)]  # (3, rows, width)
            for tensor, part in zip(whole, chunk, strict=True):
                torch.index_select(tensor, 0, chosen, out=part)
            weights, mean, square = chunk
            adamw(
                [weights],
                [values[start : start + size]],
                [mean],
                [square],
                [],
                [before.clone()],
                fused=True,
                amsgrad=False,
                beta1=beta1,
                beta2=beta2,
                lr=group["lr"],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                maximize=False,
            )
            for tensor, part in zip(whole, chunk, strict=True):
                _put_rows(tensor, chosen, part)
        state["step"] = before + 1

    def _chunk(self, table: torch.Tensor, size: int) -> torch.Tensor:
        """Reused memory: the page faults of fresh memory cost more than the arithmetic."""
        shape = torch.Size((3, min(size, len(table)), *table.shape[1:]))
        if shape not in self._room:
            self._room[shape] = torch.empty(shape, dtype=table.dtype, device=table.device)
        return self._room[shape]


def _put_rows(table: torch.Tensor, rows: torch.Tensor, values: torch.Tensor) -> None:
    """Like ``index_copy_``. On a processor NumPy copies whole rows, in a third of the time."""
    if table.device.type == "cpu":
        table.detach().numpy()[rows.numpy()] = values.numpy()
    else:
        table.index_copy_(0, rows, values)


def adam_state_to_arrays(
    optimisers: Iterable[torch.optim.Optimizer], parameters: Mapping[str, torch.Tensor]
) -> dict[str, NDArray]:
    """The moments and step counts of the Adam optimisers of named parameters."""
    return {
        f"adam.{ours}.{name}": np.atleast_1d(own[theirs].cpu().numpy())
        for optimiser in optimisers
        for name, parameter in parameters.items()
        if (own := optimiser.state.get(parameter))
        for ours, theirs in STATE.items()
    }


def restore_adam_state(
    optimisers: Iterable[torch.optim.Optimizer],
    parameters: Mapping[str, torch.Tensor],
    arrays: Mapping[str, NDArray],
) -> None:
    """Take back what ``adam_state_to_arrays`` gave."""
    for optimiser in optimisers:
        owned = {id(one) for group in optimiser.param_groups for one in group["params"]}
        for name, parameter in parameters.items():
            if id(parameter) in owned and f"adam.steps.{name}" in arrays:
                mean, square = (
                    torch.from_numpy(np.array(arrays[f"adam.{ours}.{name}"])).to(parameter.device)
                    for ours in ("mean", "square")
                )
                steps = torch.tensor(float(arrays[f"adam.steps.{name}"][0]))
                optimiser.state[parameter] = {
                    "step": steps.to(parameter.device),
                    "exp_avg": mean,
                    "exp_avg_sq": square,
                }
