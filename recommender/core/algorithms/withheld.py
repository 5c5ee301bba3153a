"""The exact sparse form of "one rating withheld per example": what the two large layers need.

With a first layer that is linear in fixed inputs x, the example (user u, movie j withheld) has
the pre-activation ``sum_i x_ui W_i - x_uj W_j``: one sum per user, minus one row per example. Of
the last layer only row j is needed, since the loss looks at nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import embedding_bag


@dataclass(frozen=True)
class SparseRows:
    """A sparse matrix as torch.nn.functional.embedding_bag wants it: it sums weighted rows."""

    offsets: torch.Tensor  #: (n_rows + 1) int64
    columns: torch.Tensor  #: (n_entries) int64
    weights: torch.Tensor  #: (n_entries)

    @classmethod
    def of(cls, matrix: Any, device: str, dtype: torch.dtype) -> SparseRows:
        """From a scipy CSR matrix, or from a CSC one: its transpose."""
        return cls(
            torch.from_numpy(matrix.indptr.astype(np.int64)).to(device),
            torch.from_numpy(matrix.indices.astype(np.int64)).to(device),
            torch.from_numpy(matrix.data).to(device, dtype),
        )

    def times(self, table: torch.Tensor) -> torch.Tensor:
        """The product with a dense table (n_columns, width): (n_rows, width).

        Each row is summed by one thread in the order of its entries, so that the result does not
        depend on scheduling, as it would with scattered additions.
        """
        return embedding_bag(
            self.columns,
            table,
            self.offsets,
            mode="sum",
            per_sample_weights=self.weights,
            include_last_offset=True,
        )


@dataclass(frozen=True)
class Batch:
    """E examples of B tasks; a task is a user with some ratings, each withheld in its turn.

    ``items`` (I) are the movies of the users' profiles, ``targets`` (T) those withheld.
    ``inputs`` is ((B + E) x I): the profiles, then for each example minus its withheld rating.
    """

    items: torch.Tensor
    inputs: SparseRows
    inputs_transposed: SparseRows
    task_of: torch.Tensor  #: (E) ascending
    examples_of: torch.Tensor  #: (B + 1) where each task's examples start
    input_scale: torch.Tensor  #: (E, 1) factor on the example's input
    output_share: torch.Tensor  #: (E) factor on the example's output
    targets: torch.Tensor
    target_of: torch.Tensor  #: (E) position in targets
    target_order: torch.Tensor  #: (E) examples ordered by target
    target_offsets: torch.Tensor  #: (T + 1)
    stars: torch.Tensor  #: (E) the withheld rating
    baseline: torch.Tensor  #: (E) what is known without the network


class WithheldSum(torch.autograd.Function):
    """First layer: (I, H) rows of the weights -> (E, H) pre-activations without bias."""

    @staticmethod
    def forward(ctx: Any, weights: torch.Tensor, batch: Batch) -> torch.Tensor:
        ctx.batch = batch
        sums = batch.inputs.times(weights)  # (B + E, H)
        n_tasks = len(batch.examples_of) - 1
        return (sums[:n_tasks][batch.task_of] + sums[n_tasks:]) * batch.input_scale

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        batch: Batch = ctx.batch
        each = gradients[0] * batch.input_scale  # (E, H)
        everyone = torch.arange(len(each), device=each.device)
        per_task = embedding_bag(
            everyone, each, batch.examples_of, mode="sum", include_last_offset=True
        )  # (B, H)
        return batch.inputs_transposed.times(torch.cat([per_task, each])), None


class TargetRow(torch.autograd.Function):
    """Last layer: (E, H) activations, (T, H) rows of the weights -> (E) outputs without bias."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weights: torch.Tensor, batch: Batch
    ) -> torch.Tensor:
        ctx.batch = batch
        ctx.save_for_backward(hidden, weights)
        return (hidden * weights[batch.target_of]).sum(1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        batch: Batch = ctx.batch
        hidden, weights = ctx.saved_tensors
        gradient = gradients[0]
        rows = SparseRows(
            batch.target_offsets, batch.target_order, gradient[batch.target_order]
        ).times(hidden)
        return gradient[:, None] * weights[batch.target_of], rows, None


@dataclass(frozen=True)
class Plan:
    """Which ratings are withheld together: task t withholds ``entries[starts[t]:starts[t + 1]]``.

    Entries are positions among the stored ratings; all of a task's are one user's, ``users[t]``.
    """

    users: NDArray[np.int64]
    starts: NDArray[np.int64]
    entries: NDArray[np.int64]

    @classmethod
    def draw(
        cls,
        rows: NDArray[np.int64],
        entries: NDArray[np.int64],
        per_user: int,
        rng: np.random.Generator,
    ) -> Plan:
        """Every one of ``entries`` once, at most ``per_user`` to a task, all in random order.

        ``rows`` is the user of every stored rating.
        """
        users = rows[entries]
        order = np.lexsort((rng.random(len(entries)), users))
        entries, users = entries[order], users[order]
        first_of_user = np.searchsorted(users, users)
        opens = (np.arange(len(users)) - first_of_user) % per_user == 0
        starts = np.append(np.flatnonzero(opens), len(users))
        shuffled = rng.permutation(len(starts) - 1)
        lengths = np.diff(starts)[shuffled]
        within = _runs(starts[:-1][shuffled], lengths)
        ends = np.concatenate(([0], np.cumsum(lengths)))
        return cls(users[starts[:-1]][shuffled], ends, entries[within])

    def batches(self, tasks: int) -> Iterator[tuple[NDArray[np.int64], NDArray, NDArray]]:
        """(users, task of each example, entries) for ``tasks`` tasks at a time, evenly cut."""
        n_batches = max(1, round(len(self.users) / tasks))
        cuts = np.linspace(0, len(self.users), n_batches + 1).astype(int)
        for first, last in pairwise(cuts):
            starts = self.starts[first : last + 1]
            task_of = np.repeat(np.arange(last - first), np.diff(starts))
            yield self.users[first:last], task_of, self.entries[starts[0] : starts[-1]]


def assemble(
    inputs: csr_array,
    users: NDArray[np.int64],
    task_of: NDArray[np.int64],
    entries: NDArray[np.int64],
    *,
    input_scale: NDArray[np.floating],
    output_share: NDArray[np.floating],
    stars: NDArray[np.floating],
    baseline: NDArray[np.floating],
    device: str,
    dtype: torch.dtype,
) -> Batch:
    """Bring a batch of the plan to the device.

    ``inputs`` (n_users x n_items) holds the input value of every rating; ``input_scale``,
    ``output_share``, ``stars`` and ``baseline`` (E) belong to the examples.
    """
    lengths = np.diff(inputs.indptr)[users]
    held = _runs(inputs.indptr[users].astype(np.int64), lengths)
    columns = np.concatenate((inputs.indices[held], inputs.indices[entries]))
    values = np.concatenate((inputs.data[held], -inputs.data[entries]))
    ends = np.concatenate(([0], np.cumsum(np.append(lengths, np.ones(len(entries), np.int64)))))
    items, local = _compact(columns, inputs.shape[1])
    matrix = csr_array((values, local, ends), shape=(len(ends) - 1, len(items)))
    targets, target_of = _compact(inputs.indices[entries], inputs.shape[1])
    per_target = np.bincount(target_of, minlength=len(targets))

    def whole(array: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array, np.int64)).to(device)

    def real(array: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array, np.float64)).to(device, dtype)

    return Batch(
        items=whole(items),
        inputs=SparseRows.of(matrix, device, dtype),
        inputs_transposed=SparseRows.of(matrix.tocsc(), device, dtype),
        task_of=whole(task_of),
        examples_of=whole(np.searchsorted(task_of, np.arange(len(users) + 1))),
        input_scale=real(input_scale)[:, None],
        output_share=real(output_share),
        targets=whole(targets),
        target_of=whole(target_of),
        target_order=whole(np.argsort(target_of, kind="stable")),
        target_offsets=whole(np.concatenate(([0], np.cumsum(per_target)))),
        stars=real(stars),
        baseline=real(baseline),
    )


def _runs(starts: NDArray[np.int64], lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """The positions start, start + 1, ... of every run, one run after another."""
    shifts = starts - (np.cumsum(lengths) - lengths)
    return np.arange(int(lengths.sum())) + np.repeat(shifts, lengths)


def _compact(columns: NDArray[np.integer], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct columns ascending, and the place of each column among them."""
    present = np.zeros(n, bool)
    present[columns] = True
    place = np.cumsum(present) - 1
    return np.flatnonzero(present), place[columns]
