"""One readable loop for every torch model: passes, loss curve, checkpoints, progress."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.core.errors import FitError
from recommender.core.systems import Progress, RunOptions
from recommender.core.training.curve import LossCurve


class Task(Protocol):
    """What the loop trains: it cuts a pass into batches and takes one step on each."""

    n_examples: int  #: in one pass

    def batches(self, rng: np.random.Generator) -> Iterable[Any]:
        """A pass over all examples, in an order drawn from ``rng``."""

    def step(self, batch: Any, share: float, generator: torch.Generator) -> NDArray[np.floating]:
        """Learn from a batch; the squared error of each example, before the step.

        ``share`` of the whole run is done (0 to 1); ``generator`` draws whatever is random.
        """

    def state(self) -> dict[str, NDArray]:
        """All that the next step depends on, optimiser included."""

    def restore(self, state: Mapping[str, NDArray]) -> None:
        """Go on from ``state``."""


def train(
    task: Task, *, epochs: int, options: RunOptions, identity: Any
) -> list[tuple[int, float]]:
    """Run ``epochs`` passes; the loss curve of at most 500 points is returned.

    The order of examples and every random number of a pass follow from the seed and the number
    of the pass alone. So a checkpoint, written after each pass where ``options.checkpoint`` names
    a file, needs no generator's state, and a run that resumes from it equals the uninterrupted
    one, bit for bit on the CPU with the same number of threads. A checkpoint of another
    ``identity`` (JSON-ready: configuration, data) or a damaged one is not used. The file stays
    when the run is done: whoever named it removes it once the model is safe.

    Raises FitError when the loss is no longer a number, and what the progress callback raises.
    """
    total = epochs * task.n_examples
    curve = LossCurve()
    identity = _fingerprint([identity, options.seed, options.device, torch.__version__])
    first = _resume(options.checkpoint, identity, task, curve)
    done = first * task.n_examples
    started, done_before = time.monotonic(), done
    for epoch in range(first, epochs):
        rng = np.random.default_rng([options.seed, epoch])
        generator = torch.Generator(options.device).manual_seed(int(rng.integers(2**63)))
        for batch in task.batches(rng):
            squared_errors = task.step(batch, done / total, generator)
            done += len(squared_errors)
            loss = curve.add(squared_errors)
            if not np.isfinite(loss):
                raise FitError(
                    f"The loss is no longer a number in pass {epoch + 1} of {epochs}. "
                    "Lower learning_rate, or look for extreme ratings."
                )
            spent = time.monotonic() - started
            left = spent / (done - done_before) * (total - done)
            options.progress(Progress("training", done, total, epoch + 1, loss, left))
        if options.checkpoint is not None:
            arrays = {**task.state(), "loop.points": curve.to_array()}
            write_checkpoint(options.checkpoint, arrays, identity, epoch + 1)
    return curve.thinned()


def write_checkpoint(
    target: Path, arrays: Mapping[str, NDArray], identity: str, epoch: int
) -> None:
    """Replace ``target`` as a whole: after a crash it is the old checkpoint or the new one."""
    from safetensors.numpy import save_file

    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    try:
        save_file(whole, partial, metadata={"identity": identity, "epoch": str(epoch)})
        descriptor = os.open(partial, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _resume(target: Path | None, identity: str, task: Task, curve: LossCurve) -> int:
    """Restore the task and the curve from a fitting checkpoint; the number of passes done."""
    from safetensors import SafetensorError, safe_open

    if target is None:
        return 0
    target.with_name(f".{target.name}.partial").unlink(missing_ok=True)
    if not target.exists():
        return 0
    try:
        with safe_open(target, framework="numpy") as file:
            facts = file.metadata() or {}
            if facts.get("identity") != identity:
                return 0
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        return 0
    curve.restore(arrays.pop("loop.points"))
    task.restore(arrays)
    return int(facts["epoch"])


def _fingerprint(identity: Any) -> str:
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
