"""One readable loop for every torch model: devices, passes, loss curve, checkpoints, progress."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.core.errors import ConfigurationError, FitError, OutOfMemory
from recommender.core.systems import Progress, RunOptions

EXAMPLES_PER_POINT = 1_000  # of the loss curve, as in the paper's Figure 4
MAX_POINTS = 500


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


class LossCurve:
    """RMSE over every thousand examples, in the order in which they were seen."""

    def __init__(self) -> None:
        self._points: list[tuple[int, float]] = []  # (examples, sum of squared errors)
        self._open = (0, 0.0)

    def add(self, squared_errors: NDArray[np.floating]) -> float:
        """Take in a batch; its own RMSE."""
        rest = np.asarray(squared_errors, np.float64)
        while len(rest):
            count, total = self._open
            part, rest = np.split(rest, [EXAMPLES_PER_POINT - count])
            self._open = (count + len(part), total + float(part.sum()))
            if self._open[0] == EXAMPLES_PER_POINT:
                self._points.append(self._open)
                self._open = (0, 0.0)
        return float(np.sqrt(np.mean(squared_errors, dtype=np.float64)))

    def thinned(self) -> list[tuple[int, float]]:
        """(examples seen, RMSE since the point before), at most 500 points.

        Neighbours are merged until they are no more, and a shorter one at the end with the last.
        """
        points = np.asarray([*self._points, *([self._open] if self._open[0] else [])])
        if not len(points):
            return []
        merged = -(-len(points) // MAX_POINTS)
        sums = np.add.reduceat(points, np.arange(0, len(points), merged), axis=0)
        if len(sums) > 1 and sums[-1, 0] < sums[0, 0]:
            # The mean of the few examples left over at the end would stand out by chance alone.
            sums = np.vstack([sums[:-2], sums[-2] + sums[-1]])
        seen = np.cumsum(sums[:, 0]).astype(int)
        return list(zip(seen.tolist(), np.sqrt(sums[:, 1] / sums[:, 0]).tolist(), strict=True))

    def to_array(self) -> NDArray[np.float64]:
        return np.asarray([*self._points, self._open], np.float64)

    def restore(self, points: NDArray[np.float64]) -> None:
        pairs = [(int(count), float(total)) for count, total in points]
        self._points, self._open = pairs[:-1], pairs[-1]


class Adam:
    """Adam (Kingma & Ba 2015) with decoupled weight decay, dense or on chosen rows.

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

    def update(
        self,
        name: str,
        weights: torch.Tensor,
        gradient: torch.Tensor,
        rate: float,
        rows: torch.Tensor | None = None,
    ) -> None:
        """Change ``weights`` in place; with ``rows`` the gradient is of these rows alone."""
        if name not in self.steps:
            self.steps[name] = 0
            self.means[name] = torch.zeros_like(weights)
            self.squares[name] = torch.zeros_like(weights)
        self.steps[name] += 1
        whole = (weights, self.means[name], self.squares[name])
        part, mean, square = (
            whole if rows is None else [tensor.index_select(0, rows) for tensor in whole]
        )
        mean.lerp_(gradient, 1 - self.beta1)
        square.mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        mean_share = 1 - self.beta1 ** self.steps[name]
        square_share = 1 - self.beta2 ** self.steps[name]
        size = (square / square_share).sqrt_().add_(self.epsilon)
        if weights.ndim > 1:  # biases are not decayed
            part.mul_(1 - rate * self.weight_decay)
        part.addcdiv_(mean, size, value=-rate / mean_share)
        if rows is not None:
            for tensor, changed in zip(whole, (part, mean, square), strict=True):
                tensor.index_copy_(0, rows, changed)

    def state(self) -> dict[str, NDArray]:
        return {
            f"adam.{kind}.{name}": tensor.cpu().numpy()
            for kind, tensors in (("mean", self.means), ("square", self.squares))
            for name, tensor in tensors.items()
        } | {f"adam.steps.{name}": np.asarray([count]) for name, count in self.steps.items()}

    def restore(self, state: Mapping[str, NDArray], device: str) -> None:
        for key, array in state.items():
            if not key.startswith("adam."):
                continue
            _, kind, name = key.split(".", 2)
            if kind == "steps":
                self.steps[name] = int(array[0])
            else:
                target = self.means if kind == "mean" else self.squares
                target[name] = torch.from_numpy(np.array(array)).to(device)


def resolve_device(name: str) -> str:
    """``auto`` is the GPU where there is one; ConfigurationError where it is asked for in vain."""
    if name not in ("auto", "cpu", "cuda"):
        raise ConfigurationError(f"There is no device {name!r}. Choose from: auto, cpu, cuda.")
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "There is no CUDA device that torch can use. Choose device auto or cpu, or install a "
            "CUDA build of torch and the driver."
        )
    return "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"


@contextmanager
def guarded(options: RunOptions) -> Iterator[None]:
    """Run with ``options.threads`` threads; too little memory becomes ``errors.OutOfMemory``."""
    threads = torch.get_num_threads()
    try:
        if options.threads:
            torch.set_num_threads(options.threads)
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(options.device) from error
    except RuntimeError as error:  # what torch raises when the processor's memory is full
        if "allocate memory" not in str(error):
            raise
        raise _out_of_memory(options.device) from error
    finally:
        torch.set_num_threads(threads)


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


def _out_of_memory(device: str) -> OutOfMemory:
    where = "The GPU" if device.startswith("cuda") else "This machine"
    return OutOfMemory(
        f"{where} has too little free memory for this model. Free some of it, use the preset "
        "compact, fewer batch_users or narrower hidden layers, or another device."
    )
