"""A constant sparse matrix on a torch device, and its product with a dense one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import embedding_bag


@dataclass(frozen=True)
class SparseMatrix:
    """A constant sparse matrix (n, m) in compressed rows; ``values`` None stands for ones."""

    starts: torch.Tensor  #: (n + 1) int64
    columns: torch.Tensor  #: (n_entries) int64
    values: torch.Tensor | None  #: (n_entries)

    @classmethod
    def from_scipy(cls, matrix: Any, device: str, dtype: torch.dtype) -> SparseMatrix:
        """A CSR matrix, or the transpose of a CSC matrix."""
        return cls(
            torch.from_numpy(matrix.indptr.astype(np.int64)).to(device),
            torch.from_numpy(matrix.indices.astype(np.int64)).to(device),
            torch.from_numpy(matrix.data).to(device, dtype),
        )

    def times(self, dense: torch.Tensor) -> torch.Tensor:
        """The product (n, H) with a dense matrix (m, H).

        Every row is summed by one thread in the order of its entries, so the result does not
        depend on scheduling, unlike that of scattered additions.
        """
        return embedding_bag(
            self.columns,
            dense,
            self.starts,
            mode="sum",
            per_sample_weights=self.values,
            include_last_offset=True,
        )
