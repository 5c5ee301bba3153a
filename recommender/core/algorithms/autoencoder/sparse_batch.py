"""Builds the tensors of a batch from its plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import embedding

from recommender.core.algorithms.autoencoder.batches import BatchPlan, concatenate_ranges
from recommender.core.algorithms.autoencoder.first_layer import DenseProfiles, SparseProfiles


@dataclass(frozen=True)
class WithheldBatch:
    """E examples from B profiles; each example withholds one rating of its profile.

    The loss reads P outputs: the first E are the withheld ratings, in order; the others are items
    that the example's user has not rated.
    """

    profiles: SparseProfiles | DenseProfiles
    profile_of: torch.Tensor  #: (E) ascending
    slot: torch.Tensor  #: (E) ``profile_of * c`` plus the number of the example in its profile
    block_shape: tuple[int, int]  #: (B, c): no profile has more than c examples
    withheld_inputs: torch.Tensor  #: (E, 1)
    input_scale: torch.Tensor | None  #: (E, 1) factor on the example's input; None: 1
    items: torch.Tensor  #: (P)
    example_of: torch.Tensor  #: (P)
    output_share: torch.Tensor  #: (P) factor on the output
    targets: torch.Tensor  #: (P) the withheld rating, or the damped bias of an unrated item
    baselines: torch.Tensor  #: (P) what the output is added to
    first_example: int  #: position of the first example among those of all processes
    all_examples: int

    @property
    def n_examples(self) -> int:
        return len(self.profile_of)

    @property
    def withheld_items(self) -> torch.Tensor:
        """(E)"""
        return self.items[: self.n_examples]

    @property
    def stars(self) -> torch.Tensor:
        """(E)"""
        return self.targets[: self.n_examples]

    def of_outputs(self, examples: torch.Tensor) -> torch.Tensor:
        """(E, H) -> (P, H): the row of each output's example."""
        if len(self.items) == len(examples):
            return examples
        return embedding(self.example_of, examples)  # its gradient is deterministic on a GPU


def build_batch(
    inputs: csr_array,
    plan: BatchPlan,
    *,
    output_share: NDArray[np.floating],
    input_scale: NDArray[np.floating] | None,
    stars: NDArray[np.floating],
    baselines: NDArray[np.floating],
    bias: NDArray[np.floating],
    user_bias: NDArray[np.floating],
    residual: bool,
    device: str,
    dtype: torch.dtype,
    half: torch.dtype | None = None,
    dense: bool = False,
) -> WithheldBatch:
    """Build the batch of a plan on the device.

    ``inputs`` (n_users x n_items) holds the input of every rating. ``output_share`` (n_items) is
    an item's factor on the output; the damped bias of an unrated item is ``bias[item] +
    user_bias[user]``. ``input_scale``, ``stars`` and ``baselines`` (E) are of the withheld ratings.
    ``half`` is the precision of products with ``dense`` profiles.
    """
    users, profile_of, withheld = plan.users, plan.profile_of, plan.withheld
    n_profiles, n, n_items = len(users), len(withheld), inputs.shape[1]
    lengths = np.diff(inputs.indptr)[users]
    places = concatenate_ranges(inputs.indptr[users].astype(np.int64), lengths)
    starts = np.cumsum(lengths) - lengths
    columns, row_of = inputs.indices[places], np.repeat(np.arange(n_profiles), lengths)

    counts = np.bincount(profile_of, minlength=n_profiles)  # (B) examples of each profile
    most = int(counts.max(initial=0))
    number = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)  # (E) in its profile
    is_kept = np.ones(len(places), bool)
    is_kept[starts[profile_of] + withheld - inputs.indptr[users[profile_of]]] = False
    indptr = np.concatenate(([0], np.cumsum(lengths - counts)))
    kept = csr_array(
        (inputs.data[places[is_kept]], columns[is_kept], indptr), shape=(n_profiles, n_items)
    )
    withheld_items = inputs.indices[withheld].astype(np.int64)
    withheld_inputs = inputs.data[withheld]
    profiles: SparseProfiles | DenseProfiles
    if dense:
        profiles = DenseProfiles.build(kept, withheld_items, withheld_inputs, device, dtype, half)
    else:
        profiles = SparseProfiles.build(kept, withheld_items, withheld_inputs, device, dtype)

    example, item = _unrated(plan, row_of * n_items + columns, n_items)
    unrated_bias = bias[item] + user_bias[users[profile_of[example]]]
    items = np.concatenate((withheld_items, item))

    def integers(array: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array, np.int64)).to(device)

    def reals(array: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(array, np.float64)).to(device, dtype)

    return WithheldBatch(
        profiles=profiles,
        profile_of=integers(profile_of),
        slot=integers(profile_of * most + number),
        block_shape=(n_profiles, most),
        withheld_inputs=reals(withheld_inputs)[:, None],
        input_scale=None if input_scale is None else reals(input_scale)[:, None],
        items=integers(items),
        example_of=integers(np.concatenate((np.arange(n), example))),
        output_share=reals(output_share[items]),
        targets=reals(np.concatenate((stars, unrated_bias))),
        baselines=reals(np.concatenate((baselines, unrated_bias if residual else 0 * item))),
        first_example=plan.first_example,
        all_examples=plan.all_examples,
    )


def _unrated(
    plan: BatchPlan, rated: NDArray[np.int64], n_items: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(example, item) of the drawn items that the example's user has not rated.

    ``rated`` (ascending) is ``profile * n_items + item`` of the profiles' ratings. Of a uniform
    draw over all items, the unrated ones are a uniform draw over the unrated items.
    """
    example = np.repeat(np.arange(len(plan.withheld)), plan.drawn.shape[1])
    item = plan.drawn.ravel()
    drawn = plan.profile_of[example] * n_items + item
    is_unrated = np.append(rated, -1)[np.searchsorted(rated, drawn)] != drawn
    return example[is_unrated], item[is_unrated]
