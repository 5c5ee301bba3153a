"""One readable loop for every torch model: passes, loss curve, checkpoints, an end, progress."""

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
from recommender.core.systems import Progress, RunOptions
from recommender.core.training import several
from recommender.core.training.ahead import ahead
from recommender.core.training.checkpoints import Checkpoints
from recommender.core.training.curve import LossCurve
from recommender.core.training.stopping import EarlyStopping

#: of what a checkpoint holds: with another number, older checkpoints are not gone on from
LAYOUT = 1
REMEDY = "Lower learning_rate, or look for extreme ratings."


class Task(Protocol):
    """What the loop trains: it cuts a pass into batches and takes one step on each."""

    n_examples: int  #: in one pass

    def batches(self, rng: np.random.Generator) -> Iterable[Any]:
        """A pass over all examples, in an order drawn from ``rng``; cheap to skip."""

    def prepare(self, batch: Any) -> Any:
        """What ``step`` takes; on a GPU called for the next batch during a step, in a thread."""

    def step(self, batch: Any, share: float, generator: torch.Generator) -> NDArray[np.floating]:
        """Learn from a batch; the squared error of each example, before the step.

        ``share`` of the whole run is done (0 to 1); ``generator`` draws whatever is random.
        """

    def weights(self) -> Iterable[torch.Tensor]:
        """What is learned."""

    def state(self) -> dict[str, NDArray]:
        """All that the next step depends on, optimiser included."""

    def restore(self, state: Mapping[str, NDArray]) -> None:
        """Go on from ``state``; what else it holds is left alone."""


@dataclass(frozen=True)
class Outcome:
    """What a run came to; ``finished`` is False where its time was up before.

    Where a run stops early, the task's weights are those of the best pass, finished or not.
    """

    loss_curve: list[tuple[int, float]]
    passes: float
    finished: bool = True


def train(
    task: Task,
    *,
    epochs: int,
    options: RunOptions,
    identity: Any,
    stopping: EarlyStopping | None = None,
) -> Outcome:
    """Run ``epochs`` passes, fewer where ``stopping`` or ``options.max_seconds`` says so.

    The order of examples and every random number of a pass follow from the seed and the number
    of the pass alone. A checkpoint, written now and then where ``options.checkpoint`` names a
    file, holds the place in the pass beside the task's state; so a run that resumes from it
    equals the uninterrupted one, bit for bit on the CPU with the same number of threads. With
    ``stopping`` the task is left with the weights of the best pass so far (those of the last step
    where no pass is over), and the checkpoint holds both: the run goes on from the last step. A
    checkpoint of another ``identity`` (JSON-ready: configuration, data) or a damaged one is not
    used; one that another ``options.version`` of the code wrote is, and tells of both: refusing
    it would lose hours of work with every update. Where ``options.max_seconds`` is 0, the
    checkpoint's weights are the outcome; without a checkpoint one step is taken.

    In several processes each calls this with the same arguments; the first writes, the others
    read the same file.

    Raises FitError when the loss or a weight is no longer a number, and what the progress callback
    raises.
    """
    total, curve = epochs * task.n_examples, LossCurve()
    rank, size = several.rank_and_size()
    known = [identity, options.seed, options.device.partition(":")[0], size]
    known += [torch.__version__, LAYOUT]
    checkpoints = Checkpoints(
        options.checkpoint, known, options.checkpoint_seconds, options.version
    )
    first, skipped, generator_state = 0, 0, None
    if found := checkpoints.read():
        arrays, facts = found
        first, skipped = facts["epoch"], facts["batches"]
        curve.restore(arrays["loop.points"])
        generator_state = torch.from_numpy(np.array(arrays["loop.generator"]))
        task.restore(arrays)
        if stopping:
            stopping.restore(arrays)
        del found, arrays  # they keep the file, which the next checkpoint replaces, in memory
    done = done_before = curve.n_examples
    started = time.monotonic()  # reading a checkpoint of gigabytes is not learning
    used_up = options.max_seconds is not None and options.max_seconds <= 0
    is_open = 0 < done < total and not (stopping and stopping.is_over)
    if is_open and several.leader_says(used_up, options.device):
        if stopping:
            stopping.end()
        return Outcome(curve.thinned(), done / task.n_examples, finished=False)

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

    def check(epoch: int) -> None:
        """A model is kept only of numbers; the loss shows what a step did in the next one alone."""
        if not all(bool(torch.isfinite(weights).all()) for weights in task.weights()):
            raise FitError(
                f"In pass {epoch + 1} of {epochs} some weights are no longer numbers. {REMEDY}"
            )

    def drawn(epoch: int) -> tuple[int, int, Iterator[Any]]:
        rng = np.random.default_rng([options.seed, epoch])
        seed = int(rng.integers(2**63))
        return epoch, seed, iter(task.batches(rng))

    for epoch, seed, batches in ahead(drawn, range(first, epochs), options.device):
        if stopping and stopping.is_over:
            break
        generator = torch.Generator(options.device).manual_seed(seed)
        if skipped and generator_state is not None:
            next(islice(batches, skipped - 1, None))
            generator.set_state(generator_state)
        taken, skipped = skipped, 0
        for batch in ahead(task.prepare, batches, options.device):
            squared_errors = task.step(batch, done / total, generator)
            taken, done = taken + 1, done + len(squared_errors)
            loss = curve.add(squared_errors)
            if not np.isfinite(loss):
                raise FitError(
                    f"The loss is no longer a number in pass {epoch + 1} of {epochs}. {REMEDY}"
                )
            spent = time.monotonic() - started
            left = spent / (done - done_before) * (total - done)
            options.progress(Progress("training", done, total, epoch + 1, loss, left))
            over = options.max_seconds is not None and spent >= options.max_seconds
            if done < total and several.leader_says(over, options.device):
                check(epoch)
                write(epoch, taken, generator)
                if stopping:
                    stopping.end()
                return Outcome(curve.thinned(), done / task.n_examples, finished=False)
            if checkpoints.are_due():
                write(epoch, taken, generator)
        check(epoch)
        if stopping:
            stopping.look()
        if checkpoints.are_due() or epoch + 1 == epochs or (stopping and stopping.is_over):
            write(epoch + 1, 0, generator)
    if stopping:
        stopping.end()
    return Outcome(curve.thinned(), done / task.n_examples)
