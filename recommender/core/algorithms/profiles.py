"""The profiles of a batch: their product with the first layer, and the way back.

Two forms of the same numbers: sparse rows for a processor, and on a GPU a dense matrix over the
movies that occur, since its matrix units need less time than its memory needs for the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.products import product
from recommender.core.training.rows import Terms


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
        """The product with a dense table (n_columns, width): (n_rows, width)."""
        return self.terms(table, table[:0]).added_up()

    def terms(self, table: torch.Tensor, more: torch.Tensor) -> Terms:
        """The product with two tables, one under the other, not yet added up."""
        return Terms(self.offsets, self.columns, self.weights, (table, more))


class Profiles(Protocol):
    """B profiles, from each of which some ratings are withheld, one at a time: E examples.

    ``items`` (I) are the movies of the profiles.
    """

    @property
    def items(self) -> torch.Tensor: ...

    def sums(self, first: torch.Tensor) -> torch.Tensor:
        """The whole profiles' products with the first layer (n_items, H): (B, H)."""

    def gradient(self, tasks: torch.Tensor, examples: torch.Tensor) -> torch.Tensor | Terms:
        """From the gradients by the sums (B, H) and by the withheld terms (E, H): (I, H)."""


@dataclass(frozen=True)
class SparseProfiles:
    items: torch.Tensor
    rows: SparseRows  #: (B x n_items), in an order that gives all threads as much to do
    place: torch.Tensor  #: (B) of each profile among the rows
    #: (I x (B + E)): each movie's inputs in the profiles, then, negative, in the examples
    transposed: SparseRows

    @classmethod
    def of(
        cls,
        whole: csr_array,
        movies: NDArray[np.int64],
        inputs: NDArray[np.floating],
        device: str,
        dtype: torch.dtype,
    ) -> SparseProfiles:
        """``whole`` (B x n_items); example e withholds ``inputs[e]`` of ``movies[e]``."""
        items, place = compact(whole.indices, whole.shape[1])
        ends = np.concatenate((whole.indptr, whole.indptr[-1] + np.arange(1, len(movies) + 1)))
        values = np.concatenate((whole.data, -inputs))
        columns = np.concatenate((place[whole.indices], place[movies]))
        both = csr_array((values, columns, ends), shape=(len(ends) - 1, len(items)))
        order = evenly_dealt(np.diff(whole.indptr), torch.get_num_threads())
        return cls(
            torch.from_numpy(items).to(device),
            SparseRows.of(whole[order], device, dtype),
            torch.from_numpy(np.argsort(order)).to(device),
            SparseRows.of(both.tocsc(), device, dtype),
        )

    def sums(self, first: torch.Tensor) -> torch.Tensor:
        return self.rows.times(first).index_select(0, self.place)

    def gradient(self, tasks: torch.Tensor, examples: torch.Tensor) -> Terms:
        return self.transposed.terms(tasks, examples)


@dataclass(frozen=True)
class DenseProfiles:
    """Its products are of the precision of ``values``, their sums of that of the weights.

    A withheld input is rounded as it is in ``values``: else a film of which a step has read nothing
    would get a gradient, and Adam makes whole steps of however little.
    """

    items: torch.Tensor
    values: torch.Tensor  #: (B, I)
    withheld: torch.Tensor  #: (T) places in items of the movies that examples withhold
    terms: SparseRows  #: (T x E): the withheld inputs, negative

    @classmethod
    def of(
        cls,
        whole: csr_array,
        movies: NDArray[np.int64],
        inputs: NDArray[np.floating],
        device: str,
        dtype: torch.dtype,
        half: torch.dtype | None,
    ) -> DenseProfiles:
        """As ``SparseProfiles.of``."""
        items, place = compact(whole.indices, whole.shape[1])
        rows = np.repeat(np.arange(whole.shape[0]), np.diff(whole.indptr))
        flat = torch.from_numpy(rows * len(items) + place[whole.indices]).to(device)
        values = torch.zeros(whole.shape[0], len(items), dtype=half or dtype, device=device)
        values.view(-1)[flat] = torch.from_numpy(whole.data).to(device, values.dtype)
        withheld, order = compact(movies, whole.shape[1])
        shape = (len(withheld), len(movies))
        taken = torch.from_numpy(-inputs).to(values.dtype).double().numpy()
        terms = csr_array((taken, (order[movies], np.arange(len(movies)))), shape=shape)
        return cls(
            torch.from_numpy(items).to(device),
            values,
            torch.from_numpy(place[withheld]).to(device),
            SparseRows.of(terms, device, dtype),
        )

    def sums(self, first: torch.Tensor) -> torch.Tensor:
        table = first.index_select(0, self.items).to(self.values.dtype)
        return product(self.values, table, first.dtype)

    def gradient(self, tasks: torch.Tensor, examples: torch.Tensor) -> torch.Tensor:
        found = product(self.values.T, tasks.to(self.values.dtype), tasks.dtype)
        return found.index_add_(0, self.withheld, self.terms.times(examples))


def evenly_dealt(lengths: NDArray[np.integer], hands: int) -> NDArray[np.int64]:
    """An order of rows in which the shares of all threads, cut by number, are about as long.

    The longest is dealt first, each to whom has least and room for more. Otherwise threads wait
    for the one with the longest profiles: of four, at benchmarks/leave_one_out_step.py's size, for
    13.6 ms in place of 8.6. The sums are the same bit for bit.
    """
    if hands == 1:
        return np.arange(len(lengths))
    share = -(-len(lengths) // hands)  # as torch cuts them
    room = np.clip(len(lengths) - share * np.arange(hands), 0, share)
    held = np.where(room > 0, 0.0, np.inf)
    taken: list[list[int]] = [[] for _ in range(hands)]
    for row in np.argsort(-lengths, kind="stable").tolist():
        hand = int(np.argmin(held))
        taken[hand].append(row)
        held[hand] += lengths[row]
        if len(taken[hand]) == room[hand]:
            held[hand] = np.inf
    return np.asarray([row for rows in taken for row in rows], np.int64)


def compact(columns: NDArray[np.integer], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct columns ascending, and of each of n columns the place among them."""
    present = np.zeros(n, bool)
    present[columns] = True
    return np.flatnonzero(present), np.cumsum(present) - 1
