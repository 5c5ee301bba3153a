"""The training loop of every torch model: passes, loss curve, checkpoints, time limit, progress."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from recommender.core.errors import FitError
from recommender.core.runs import Progress, RunOptions
from recommender.core.training.checkpoints import Checkpoints
from recommender.core.training.curve import LossCurve
from recommender.core.training.distributed import decide_by_leader, rank_and_size
from recommender.core.training.early_stopping import EarlyStopping
from recommender.core.training.prefetch import prefetch

#: version of a checkpoint's content; checkpoints of another version are not resumed
LAYOUT = 1
REMEDY = "Lower learning_rate, or look for extreme ratings."


class TrainingTask(Protocol):
    """What the loop trains: divides a pass into batches and takes one step for each."""

    n_examples: int  #: in one pass

    def batches(self, rng: np.random.Generator) -> Iterable[Any]:
        """The batches of a pass over all examples, in an order drawn from ``rng``; lazy."""

    def prepare(self, batch: Any) -> Any:
        """The input of ``step``; on a GPU called in a thread while the previous step runs."""

    def step(self, batch: Any, share: float, generator: torch.Generator) -> NDArray[np.floating]:
        """Learn from a batch; returns the squared error of each example (E) before the step.

        ``share`` of the whole run is done (0 to 1); random numbers come from ``generator``.
        """

    def weights(self) -> Iterable[torch.Tensor]:
        """The tensors that are trained."""

    def state(self) -> dict[str, NDArray]:
        """Everything that the next step depends on, including the optimiser's state."""

    def restore(self, state: Mapping[str, NDArray]) -> None:
        """Resume from ``state``, ignoring entries of others."""


@dataclass(frozen=True)
class TrainingOutcome:
    """The result of a run; ``finished`` is False if its time limit ended it.

    With early stopping the task has the weights of the best pass, finished or not.
    """

    loss_curve: list[tuple[int, float]]
    passes: float
    finished: bool = True


def train_task(
    task: TrainingTask,
    *,
    epochs: int,
    options: RunOptions,
    identity: Any,
    stopping: EarlyStopping | None = None,
) -> TrainingOutcome:
    """Run ``epochs`` passes, or fewer with ``stopping`` or ``options.max_seconds``.

    The order of examples and all random numbers of a pass depend only on the seed and the number
    of the pass. If ``options.checkpoint`` names a file, the place in the pass and the task's state
    are written to it now and then, so a resumed run equals an uninterrupted one, bit for bit on
    the CPU with the same number of threads. With ``stopping`` the task ends with the weights of
    the best pass (of the last step within the first pass); the checkpoint holds both, and the run
    resumes from the last step. A damaged checkpoint, or one of another ``identity`` (JSON-ready:
    configuration, data), is ignored. A checkpoint of another ``options.version`` of the code is
    resumed and records both versions, because starting again would lose hours of work with every
    update. If ``options.max_seconds`` is 0, the checkpoint's weights are the result; without a
    checkpoint one step is taken.

    All processes of a process group call this with the same arguments; the first writes the
    checkpoint, the others read the same file.

    Raises FitError if the loss or a weight is not finite; passes on exceptions of the progress
    callback.
    """
    total, curve = epochs * task.n_examples, LossCurve()
    rank, size = rank_and_size()
    run = [identity, options.seed, options.device.partition(":")[0], size]
    run += [torch.__version__, LAYOUT]
    checkpoints = Checkpoints(options.checkpoint, run, options.checkpoint_seconds, options.version)
    first, skipped, generator_state = 0, 0, None
    if found := checkpoints.read():
        arrays, facts = found
        first, skipped = facts["epoch"], facts["batches"]
        curve.restore(arrays["loop.points"])
        generator_state = torch.from_numpy(np.array(arrays["loop.generator"]))
        task.restore(arrays)
        if stopping:
            stopping.restore(arrays)
        del found, arrays  # they keep the file in memory, which the next checkpoint replaces
    done = done_before = curve.n_examples
    started = time.monotonic()  # reading a large checkpoint does not count as training

    def has_time_left(spent: float) -> bool:
        is_over = options.max_seconds is not None and spent >= options.max_seconds
        return not decide_by_leader(is_over, options.device)

    def outcome(finished: bool) -> TrainingOutcome:
        if stopping:
            stopping.restore_best()
        return TrainingOutcome(curve.thinned(), done / task.n_examples, finished)

    def write(epoch: int, batches: int, generator: torch.Generator) -> None:
        if options.checkpoint is None or rank:
            return
        arrays = {
            **task.state(),
            **(stopping.state() if stopping else {}),
            "loop.points": curve.to_array(),
            "loop.generator": generator.get_state().numpy(),
        }
        checkpoints.write(arrays, {"epoch": epoch, "batches": batches})

    def check_weights(epoch: int) -> None:
        """The loss shows the effect of a step only in the next step, so weights are checked too."""
        if not all(bool(torch.isfinite(weights).all()) for weights in task.weights()):
            raise FitError(f"Some weights are not finite in pass {epoch + 1} of {epochs}. {REMEDY}")

    def draw_pass(epoch: int) -> tuple[int, int, Iterator[Any]]:
        rng = np.random.default_rng([options.seed, epoch])
        seed = int(rng.integers(2**63))
        return epoch, seed, iter(task.batches(rng))

    is_unfinished = 0 < done < total and not (stopping and stopping.is_over)
    if is_unfinished and not has_time_left(0.0):
        return outcome(finished=False)
    for epoch, seed, batches in prefetch(draw_pass, range(first, epochs), options.device):
        if stopping and stopping.is_over:
            break
        generator = torch.Generator(options.device).manual_seed(seed)
        if skipped and generator_state is not None:
            next(islice(batches, skipped - 1, None))
            generator.set_state(generator_state)
        taken, skipped = skipped, 0
        for batch in prefetch(task.prepare, batches, options.device):
            squared_errors = task.step(batch, done / total, generator)
            taken, done = taken + 1, done + len(squared_errors)
            loss = curve.add(squared_errors)
            if not np.isfinite(loss):
                raise FitError(f"The loss is not finite in pass {epoch + 1} of {epochs}. {REMEDY}")
            spent = time.monotonic() - started
            left = spent / (done - done_before) * (total - done)
            options.progress(Progress("training", done, total, epoch + 1, loss, left))
            if done < total and not has_time_left(spent):
                check_weights(epoch)
                write(epoch, taken, generator)
                return outcome(finished=False)
            if checkpoints.is_due():
                write(epoch, taken, generator)
        check_weights(epoch)
        if stopping:
            stopping.end_pass()
        if checkpoints.is_due() or epoch + 1 == epochs or (stopping and stopping.is_over):
            write(epoch + 1, 0, generator)
    return outcome(finished=True)
