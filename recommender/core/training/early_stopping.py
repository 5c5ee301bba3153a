"""Early stopping: ends training when the validation error no longer falls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray


class EarlyStopping:
    """Keeps the weights of the best pass; over after ``patience`` passes without a better one.

    ``measure`` returns the validation error after a pass; ``weights`` are the tensors that
    training changes in place.
    """

    def __init__(
        self, patience: int, measure: Callable[[], float], weights: Mapping[str, torch.Tensor]
    ) -> None:
        self.patience, self._measure, self._weights = patience, measure, weights
        self.errors: list[float] = []
        self._best: dict[str, torch.Tensor] = {}

    @property
    def is_over(self) -> bool:
        return len(self.errors) - 1 - self._best_pass() >= self.patience

    def end_pass(self) -> None:
        """Measure after a pass; the first of equally good passes is kept."""
        self.errors.append(self._measure())
        if self._best_pass() == len(self.errors) - 1:
            self._best = {name: tensor.clone() for name, tensor in self._weights.items()}

    def restore_best(self) -> None:
        """Put the weights of the best pass back."""
        for name, tensor in self._best.items():
            self._weights[name].copy_(tensor)

    def state(self) -> dict[str, NDArray]:
        best = {f"best.{name}": tensor.cpu().numpy() for name, tensor in self._best.items()}
        return {"best.errors": np.asarray(self.errors, np.float64), **best}

    def restore(self, state: Mapping[str, NDArray]) -> None:
        self.errors = state["best.errors"].tolist()
        if self.errors:
            self._best = {
                name: torch.from_numpy(np.array(state[f"best.{name}"])).to(tensor.device)
                for name, tensor in self._weights.items()
            }

    def _best_pass(self) -> int:
        return int(np.argmin(self.errors)) if self.errors else 0
