"""How a run is told what to do, and how it reports its progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Progress:
    """How far a run is; ``seconds_left`` and ``loss`` are None while unknown."""

    phase: str
    done: int = 0
    total: int = 0
    epoch: int = 0
    loss: float | None = None
    seconds_left: float | None = None

    @property
    def share(self) -> float | None:
        """The part of the phase that is done, from 0 to 1; None while the total is unknown."""
        return min(1.0, self.done / self.total) if self.total else None


def time_left(started: float, done: int, total: int) -> float | None:
    """Seconds until ``total`` at the speed since ``started`` (of time.monotonic); None at first."""
    return (time.monotonic() - started) / done * (total - done) if done else None


def ignore_progress(progress: Progress) -> None:
    """The default progress callback."""


@dataclass(frozen=True)
class RunOptions:
    """How to run, as opposed to what to learn. Only ``seed`` is part of a model's identity.

    ``progress`` is called often, so it must be cheap; it may raise ``errors.Cancelled`` to stop.
    ``checkpoint`` is a file that a run writes now and then and resumes from if it exists, at most
    once in ``checkpoint_seconds``, less often if writing is slow. After ``max_seconds`` of
    training a run writes it and stops; the model is then not ``finished_``. ``precision`` is that
    of a network's matrix products: "auto" is bfloat16 on a GPU that supports it. ``version`` of
    the code is stored in the checkpoint.
    """

    seed: int = 0
    device: str = "cpu"
    threads: int | None = None
    progress: Callable[[Progress], None] = ignore_progress
    checkpoint: Path | None = None
    checkpoint_seconds: float = 10.0
    max_seconds: float | None = None
    precision: str = "auto"
    version: str = ""
