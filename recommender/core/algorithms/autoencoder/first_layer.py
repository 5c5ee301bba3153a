"""The exact sparse first layer: one rating of a profile withheld in each example.

A layer that is linear in fixed inputs x has the pre-activation ``sum_i x_ui W_i`` over the items i
of user u other than the withheld one. It is computed once per profile for the ratings that no
example withholds, plus the other withheld rows of each example. Nothing is subtracted, because
rounding residue would open ReLUs whose bias is zero, and give gradients to rows that were not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import nn

from recommender.core.algorithms.sparse_matrix import SparseMatrix

if TYPE_CHECKING:
    from recommender.core.algorithms.autoencoder.sparse_batch import WithheldBatch


class FirstLayer(nn.Module):
    """(n_items, H) weights, one row per item, so that a batch reads and updates its items only."""

    def __init__(self, n_items: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_items, width))
        self.bias = nn.Parameter(torch.empty(width))

    def forward(self, batch: WithheldBatch) -> torch.Tensor:
        """(E, H) pre-activations; the gradient of the weights is sparse by rows."""
        sums: torch.Tensor = _RemainingInputs.apply(self.weight, batch)
        return sums.add_(self.bias)


class _RemainingInputs(torch.autograd.Function):
    """(n_items, H) weights -> (E, H) sums over the ratings that each example leaves."""

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, batch: WithheldBatch) -> torch.Tensor:
        ctx.batch, ctx.shape, weight = batch, weight.shape, weight.detach()
        withheld = weight.index_select(0, batch.withheld_items).mul_(batch.withheld_inputs)
        sums = batch.profiles.sums(weight).index_select(0, batch.profile_of)
        sums += _sum_others(_blocks(withheld, batch), batch)
        return sums if batch.input_scale is None else sums.mul_(batch.input_scale)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        batch, (gradient,) = ctx.batch, gradients
        if batch.input_scale is not None:
            gradient = gradient * batch.input_scale
        blocks = _blocks(gradient, batch)
        rows = batch.profiles.gradient(blocks.sum(1), _sum_others(blocks, batch))  # (I, H)
        return torch.sparse_coo_tensor(
            batch.profiles.items[None], rows, ctx.shape, is_coalesced=True, check_invariants=False
        ), None


def _blocks(values: torch.Tensor, batch: WithheldBatch) -> torch.Tensor:
    """(E, H) -> (B, c, H): the examples of each of B profiles, c at most, padded with zeros."""
    n_profiles, most = batch.block_shape
    blocks = values.new_zeros(n_profiles * most, values.shape[1])
    blocks.index_copy_(0, batch.slot, values)
    return blocks.view(n_profiles, most, values.shape[1])


def _sum_others(blocks: torch.Tensor, batch: WithheldBatch) -> torch.Tensor:
    """(B, c, H) -> (E, H): for each example the sum over the other examples of its profile."""
    others = 1 - torch.eye(blocks.shape[1], dtype=blocks.dtype, device=blocks.device)
    sums = others @ blocks  # (B, c, H)
    return sums.flatten(0, 1).index_select(0, batch.slot)


@dataclass(frozen=True)
class SparseProfiles:
    """The inputs of B profiles as sparse rows, for a processor.

    ``kept`` are the inputs that no example withholds; ``items`` (I) those of all inputs.
    """

    items: torch.Tensor
    kept: SparseMatrix  #: (B x n_items)
    transposed: SparseMatrix  #: (I x (B + E)): each item's kept inputs, then its withheld inputs

    @classmethod
    def build(
        cls,
        kept: csr_array,
        withheld_items: NDArray[np.int64],
        withheld_inputs: NDArray[np.floating],
        device: str,
        dtype: torch.dtype,
    ) -> SparseProfiles:
        """``kept`` (B x n_items); example e withholds ``withheld_inputs[e]``."""
        columns = np.concatenate((kept.indices, withheld_items))
        items, place = compact(columns, kept.shape[1])
        ends = np.concatenate(
            (kept.indptr, kept.indptr[-1] + np.arange(1, len(withheld_items) + 1))
        )
        values = np.concatenate((kept.data, withheld_inputs))
        both = csr_array((values, place[columns], ends), shape=(len(ends) - 1, len(items)))
        return cls(
            torch.from_numpy(items).to(device),
            SparseMatrix.from_scipy(kept, device, dtype),
            SparseMatrix.from_scipy(both.tocsc(), device, dtype),
        )

    def sums(self, weight: torch.Tensor) -> torch.Tensor:
        """(n_items, H) -> (B, H): the kept inputs times the weights."""
        return self.kept.times(weight)

    def gradient(self, totals: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """The gradient (I, H) of the items' rows.

        ``totals`` (B, H): the gradient of each profile's kept inputs; ``others`` (E, H): that of
        each withheld input, which the other examples of its profile read.
        """
        return self.transposed.times(torch.cat([totals, others]))


@dataclass(frozen=True)
class DenseProfiles:
    """The same as a dense matrix over the items that occur, for the matrix units of a GPU.

    Its products have the precision of ``kept``, their sums that of the weights.
    """

    items: torch.Tensor
    kept: torch.Tensor  #: (B, I)
    withheld_places: torch.Tensor  #: (T) positions in ``items`` of the withheld items
    withheld: SparseMatrix  #: (T x E) the withheld inputs of each of them

    @classmethod
    def build(
        cls,
        kept: csr_array,
        withheld_items: NDArray[np.int64],
        withheld_inputs: NDArray[np.floating],
        device: str,
        dtype: torch.dtype,
        half: torch.dtype | None,
    ) -> DenseProfiles:
        """As ``SparseProfiles.build``, with products of the precision ``half``."""
        items, place = compact(np.concatenate((kept.indices, withheld_items)), kept.shape[1])
        rows = np.repeat(np.arange(kept.shape[0]), np.diff(kept.indptr))
        flat = torch.from_numpy(rows * len(items) + place[kept.indices]).to(device)
        matrix = torch.zeros(kept.shape[0], len(items), dtype=half or dtype, device=device)
        matrix.view(-1)[flat] = torch.from_numpy(kept.data).to(device, matrix.dtype)
        distinct, order = compact(withheld_items, kept.shape[1])
        entries = (withheld_inputs, (order[withheld_items], np.arange(len(withheld_items))))
        return cls(
            torch.from_numpy(items).to(device),
            matrix,
            torch.from_numpy(place[distinct]).to(device),
            SparseMatrix.from_scipy(
                csr_array(entries, shape=(len(distinct), len(withheld_items))), device, dtype
            ),
        )

    def sums(self, weight: torch.Tensor) -> torch.Tensor:
        """As ``SparseProfiles.sums``."""
        table = weight.index_select(0, self.items).to(self.kept.dtype)
        return _product(self.kept, table, weight.dtype)

    def gradient(self, totals: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """As ``SparseProfiles.gradient``."""
        rows = _product(self.kept.T, totals.to(self.kept.dtype), totals.dtype)
        return rows.index_add_(0, self.withheld_places, self.withheld.times(others))


def _product(left: torch.Tensor, right: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """left (n, a) @ right (a, b) with sums in ``dtype``: (n, b)."""
    if left.dtype == dtype:
        return left @ right
    if left.device.type == "cuda":
        return torch.mm(left, right, out_dtype=dtype)
    return left.to(dtype) @ right.to(dtype)


def compact(columns: NDArray[np.integer], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct columns, ascending, and for each of n columns its position among them."""
    is_present = np.zeros(n, bool)
    is_present[columns] = True
    return np.flatnonzero(is_present), np.cumsum(is_present) - 1
