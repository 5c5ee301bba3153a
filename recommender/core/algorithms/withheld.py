"""The exact sparse form of "one rating withheld per example": what the two large layers need.

With a first layer that is linear in fixed inputs x, the example (user u, movie j withheld) has
the pre-activation ``sum_i x_ui W_i - x_uj W_j``: one sum per user, minus one row per example. Of
the last layer only row j is needed, since the loss looks at nothing else, and a row for each
further movie that the loss is made to look at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import embedding_bag

from recommender.core.algorithms.plan import Part, runs
from recommender.core.algorithms.profiles import (
    DenseProfiles,
    Profiles,
    SparseProfiles,
    SparseRows,
    compact,
)
from recommender.core.training.rows import Terms


@dataclass(frozen=True)
class Batch:
    """E examples of B tasks; a task is a user with some ratings, each withheld in its turn.

    The loss looks at P outputs: the first E are the examples' withheld ratings, in order; the
    others are of movies that the example's user has not rated. ``targets`` (T) are the movies of
    the P outputs. ``half``: the precision in which the first layer's rows are read, if another.
    """

    profiles: Profiles
    half: torch.dtype | None
    task_of: torch.Tensor  #: (E) ascending
    examples_of: torch.Tensor  #: (B + 1) where each task's examples start
    withheld_input: torch.Tensor  #: (E, 1) the withheld rating's input
    input_scale: torch.Tensor | None  #: (E, 1) factor on the example's input; None: 1
    movies: torch.Tensor  #: (P)
    example_of: torch.Tensor  #: (P)
    by_example: SparseRows  #: (E x n_items), without weights: the outputs of each example
    by_example_order: torch.Tensor  #: (P) the outputs in the order of by_example
    targets: torch.Tensor
    by_target: SparseRows  #: (T x E), without weights: the outputs of each movie
    by_target_order: torch.Tensor  #: (P)
    output_share: torch.Tensor  #: (P) factor on the output
    wanted: torch.Tensor  #: (P) the withheld rating, or what an unrated movie is pulled to
    baseline: torch.Tensor  #: (P) what is known without the network
    first_example: int  #: which of all processes' examples is this process's first
    all_examples: int

    @property
    def n_examples(self) -> int:
        return len(self.task_of)

    @property
    def stars(self) -> torch.Tensor:
        return self.wanted[: self.n_examples]


def first_sums(batch: Batch, first: torch.Tensor) -> torch.Tensor:
    """The first layer (n_items, H): (E, H) pre-activations without bias."""
    sums = batch.profiles.sums(first).index_select(0, batch.task_of)
    rows = first.index_select(0, batch.movies[: batch.n_examples])
    if batch.half is not None:
        rows = rows.to(batch.half).to(first.dtype)  # as they are in the sums: what is withheld
    sums.addcmul_(rows, batch.withheld_input, value=-1)
    return sums if batch.input_scale is None else sums.mul_(batch.input_scale)


def first_gradient(batch: Batch, gradient: torch.Tensor) -> torch.Tensor | Terms:
    """From the gradient of the pre-activations (E, H), which is lost, that of its items: (I, H).

    With ``half`` the gradient is of its numbers, and stays so: then a profile's sum of one example
    is rounded to itself, and what is taken out again leaves nothing.
    """
    if batch.input_scale is not None:
        gradient.mul_(batch.input_scale)
        if batch.half is not None:
            gradient.copy_(gradient.to(batch.half))
    everyone = torch.arange(len(gradient), device=gradient.device)
    per_task = embedding_bag(
        everyone, gradient, batch.examples_of, mode="sum", include_last_offset=True
    )  # (B, H)
    return batch.profiles.gradient(per_task, gradient)


def outputs(batch: Batch, hidden: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """The last layer (n_items, H) after activations (E, H): (P) outputs without bias."""
    rows = last.index_select(0, batch.movies)
    if len(rows) > len(hidden):
        hidden = hidden.index_select(0, batch.example_of)
    return rows.mul_(hidden).sum(1)


def outputs_gradient(
    batch: Batch, slopes: torch.Tensor, hidden: torch.Tensor, last: torch.Tensor
) -> tuple[torch.Tensor, Terms, torch.Tensor]:
    """From slopes (P) those of the activations (E, H), the targets' rows (T, H), biases (T)."""
    ours, theirs = batch.by_example, batch.by_target
    back = SparseRows(ours.offsets, ours.columns, slopes[batch.by_example_order]).times(last)
    own = SparseRows(theirs.offsets, theirs.columns, slopes[batch.by_target_order])
    return back, own.terms(hidden, hidden[:0]), own.times(torch.ones_like(hidden[:, :1]))[:, 0]


def assemble(
    inputs: csr_array,
    part: Part,
    *,
    output_share: NDArray[np.floating],
    input_scale: NDArray[np.floating] | None,
    stars: NDArray[np.floating],
    baseline: NDArray[np.floating],
    bias: NDArray[np.floating],
    user_bias: NDArray[np.floating],
    residual: bool,
    device: str,
    dtype: torch.dtype,
    half: torch.dtype | None = None,
    dense: bool = False,
) -> Batch:
    """Bring a part of the plan to the device.

    ``inputs`` (n_users x n_items) holds the input value of every rating. ``output_share`` and
    ``bias`` (n_items), ``user_bias`` (n_users): a movie's share in the output, and the damped bias
    of an unrated movie, ``bias[movie] + user_bias[user]``. ``input_scale``, ``stars`` and
    ``baseline`` (E) belong to the withheld ratings. ``dense`` profiles may be of a precision
    ``half``.
    """
    users, task_of, entries = part.users, part.task_of, part.entries
    n_tasks, n, n_items = len(users), len(entries), inputs.shape[1]
    lengths = np.diff(inputs.indptr)[users]
    held = runs(inputs.indptr[users].astype(np.int64), lengths)
    columns, values = inputs.indices[held], inputs.data[held]
    starts = np.concatenate(([0], np.cumsum(lengths)))

    withheld = inputs.indices[entries].astype(np.int64)
    withheld_input = inputs.data[entries]
    # Subtracting an only input from its sum leaves rounding residue, which would open ReLUs whose
    # bias is zero. An example without another input is multiplied by zero instead.
    task_of_input = np.repeat(np.arange(n_tasks), lengths)
    n_inputs = np.bincount(task_of_input, values != 0, minlength=n_tasks)
    is_empty = n_inputs[task_of] == (withheld_input != 0)
    if is_empty.any():
        input_scale = np.where(is_empty, 0, 1 if input_scale is None else input_scale)
    whole_profiles = csr_array((values, columns, starts), shape=(n_tasks, n_items))
    half = half if dense else None
    profiles: Profiles
    if dense:
        profiles = DenseProfiles.of(whole_profiles, withheld, withheld_input, device, dtype, half)
    else:
        profiles = SparseProfiles.of(whole_profiles, withheld, withheld_input, device, dtype)

    example, movie = _unrated(part, task_of_input, columns, n_items)
    unrated_bias = bias[movie] + user_bias[users[task_of[example]]]
    example = np.concatenate((np.arange(n), example))
    movies = np.concatenate((withheld, movie))
    targets, place = compact(movies, n_items)
    target_of = place[movies]
    by_example = np.argsort(example, kind="stable")
    by_target = np.argsort(target_of, kind="stable")
    zeros = np.zeros(len(unrated_bias))

    def whole(array: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array, np.int64)).to(device)

    def real(array: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array, np.float64)).to(device, dtype)

    def ends_of(places: NDArray[np.int64], n_places: int) -> torch.Tensor:
        return whole(np.concatenate(([0], np.cumsum(np.bincount(places, minlength=n_places)))))

    nothing = torch.empty(0, device=device, dtype=dtype)
    return Batch(
        profiles=profiles,
        half=half,
        task_of=whole(task_of),
        examples_of=ends_of(task_of, n_tasks),
        withheld_input=real(withheld_input).to(half or dtype).to(dtype)[:, None],
        input_scale=None if input_scale is None else real(input_scale)[:, None],
        movies=whole(movies),
        example_of=whole(example),
        by_example=SparseRows(ends_of(example, n), whole(movies[by_example]), nothing),
        by_example_order=whole(by_example),
        targets=whole(targets),
        by_target=SparseRows(ends_of(target_of, len(targets)), whole(example[by_target]), nothing),
        by_target_order=whole(by_target),
        output_share=real(output_share[movies]),
        wanted=real(np.concatenate((stars, unrated_bias))),
        baseline=real(np.concatenate((baseline, unrated_bias if residual else zeros))),
        first_example=part.first_example,
        all_examples=part.all_examples,
    )


def _unrated(
    part: Part, task: NDArray[np.int64], columns: NDArray[np.integer], n_items: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(example, movie) of the drawn movies that the example's user has not rated.

    ``task`` and ``columns``, ascending, are the ratings of the part's profiles. What is left of a
    uniform draw over all movies is a uniform draw over the unrated.
    """
    example = np.repeat(np.arange(len(part.entries)), part.drawn.shape[1])
    movie = part.drawn.ravel()
    rated = task * n_items + columns
    asked = part.task_of[example] * n_items + movie
    place = np.searchsorted(rated, asked)
    unrated = np.append(rated, -1)[place] != asked
    return example[unrated], movie[unrated]
