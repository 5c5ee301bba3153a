"""Cuts the ratings into parts that are withheld in turn, and prepares one part for a step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_autoencoder.network import WithheldPart
from recommender.core.algorithms.sparse_matrix import SparseMatrix
from recommender.core.configs.networks import DualAutoencoderConfig
from recommender.core.configs.simple import BiasConfig


class RatingParts:
    """A rating matrix (n_users, n_items) and its parts; tensors are made on ``device``."""

    def __init__(
        self,
        matrix: csr_array,
        config: DualAutoencoderConfig,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.matrix, self.config, self.device, self.dtype = matrix, config, device, dtype
        self.items = matrix.indices.astype(np.int64)
        self.users = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))

    def draw_masks(self, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        """Masks (n_ratings) of the parts of one pass: each rating is in exactly one of them."""
        least, most = self.config.withheld
        sizes = rng.uniform(least, most, round(2 / (least + most)))
        ends = np.round(np.cumsum(sizes)[:-1] / sizes.sum() * self.matrix.nnz).astype(np.int64)
        for part in np.split(rng.permutation(self.matrix.nnz), ends):
            mask = np.zeros(self.matrix.nnz, bool)
            mask[part] = True
            if len(part):
                yield mask

    def select(self, chosen: NDArray[np.bool_], values: NDArray | None = None) -> csr_array:
        """The chosen ratings as a matrix (n_users, n_items), or ``values`` in their place."""
        counts = np.bincount(self.users[chosen], minlength=self.matrix.shape[0])
        indptr = np.concatenate(([0], np.cumsum(counts)))
        data = self.matrix.data[chosen] if values is None else values
        return csr_array((data, self.matrix.indices[chosen], indptr), shape=self.matrix.shape)

    def prepare(self, withheld: NDArray[np.bool_]) -> WithheldPart:
        """The step that withholds these ratings; mean and offsets come from the kept ones alone."""
        kept = self.select(~withheld)
        bias = BiasTerms.learn(kept, BiasConfig())
        residuals = self.matrix.data - bias.predict(kept, self.users, self.items)
        profiles = self.select(~withheld, residuals[~withheld])
        pairs = self.select(withheld, np.arange(np.count_nonzero(withheld)))
        by_item = pairs.tocsc()
        counts, users = np.diff(kept.indptr), self.users[withheld]
        trust = counts / np.maximum(counts + self.config.trust, 1e-12)
        return WithheldPart(
            kept=self._sparse(profiles),
            kept_by_item=self._sparse(profiles.tocsc()),
            withheld=replace(self._sparse(pairs), values=None),
            withheld_by_item=replace(self._sparse(by_item), values=None),
            targets=torch.from_numpy(residuals[withheld]).to(self.device, self.dtype),
            user_of=torch.from_numpy(users).to(self.device),
            item_order=torch.from_numpy(by_item.data).to(self.device),
            trust=torch.from_numpy(trust[users]).to(self.device, self.dtype),
        )

    def _sparse(self, matrix: csr_array | csc_array) -> SparseMatrix:
        """The matrix, or the transpose of a CSC one."""
        return SparseMatrix.from_scipy(matrix, self.device, self.dtype)
