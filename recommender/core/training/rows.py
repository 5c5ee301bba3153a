"""Adam on chosen rows of a large layer, each row's gradient made and used while it is in cache.

Written out with torch, the gradient of all rows goes to memory and comes back, and so do copies of
the rows' weights and moments: twice the traffic, which is what a step on rows costs.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import embedding_bag

WIDE = 512  #: from which width on it pays to compile: some seconds, once for a machine
PARTS = 8  #: of the rows, for each thread: they are of uneven cost
COMPILES = find_spec("numba") is not None


class Rates(NamedTuple):
    """What a step of Adam multiplies with: the moments' shares, the step, the decay."""

    mean: float  #: 1 - beta1
    square: float  #: 1 - beta2
    root: float  #: 1 / root of the square's bias correction
    epsilon: float
    step: float  #: learning rate / the mean's bias correction
    kept: float  #: of a weight, by weight decay


@dataclass(frozen=True)
class Terms:
    """A gradient by rows, not yet added up.

    Row i is the sum of ``factors[s] * table[columns[s]]`` for s from ``offsets[i]`` to
    ``offsets[i + 1]``, the tables (n, width) being counted through one after another.
    """

    offsets: torch.Tensor
    columns: torch.Tensor
    factors: torch.Tensor
    tables: tuple[torch.Tensor, torch.Tensor]

    def added_up(self) -> torch.Tensor:
        """The gradient (rows, width).

        Each row is summed by one thread in the order of its terms, so that the result does not
        depend on scheduling, as it would with scattered additions.
        """
        first, second = self.tables
        return embedding_bag(
            self.columns,
            torch.cat([first, second]) if len(second) else first,
            self.offsets,
            mode="sum",
            per_sample_weights=self.factors,
            include_last_offset=True,
        )

    @property
    def can_be_compiled(self) -> bool:
        table = self.tables[0]
        return COMPILES and table.device.type == "cpu" and table.shape[1] >= WIDE


def step_on_rows(
    whole: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    rows: torch.Tensor,
    terms: Terms,
    rates: Rates,
) -> None:
    """Change ``rows``, all different, of weights, means and squares (n, width) in place.

    Each row is one thread's work from end to end, so the result does not depend on their number.
    """
    from recommender.core.training.compiled_rows import step

    threads, n = torch.get_num_threads(), len(rows)
    weights, means, squares = (tensor.numpy() for tensor in whole)
    first, second = (np.ascontiguousarray(table.numpy()) for table in terms.tables)
    places, offsets, columns = rows.numpy(), terms.offsets.numpy(), terms.columns.numpy()
    factors = terms.factors.numpy()
    shares = np.asarray(rates, weights.dtype)
    edges = np.linspace(0, n, PARTS * threads + 1).astype(int)

    def part(edge: tuple[int, int]) -> None:
        step(
            weights, means, squares, places, offsets, columns, factors, first, second, shares, *edge
        )

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, pairwise(edges)))
