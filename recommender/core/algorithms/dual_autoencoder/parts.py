"""Cuts the ratings into parts that are withheld in turn, and prepares one part for a step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_autoencoder.network import UserBlock, WithheldPart
from recommender.core.algorithms.sparse_matrix import SparseMatrix
from recommender.core.configs.networks import DualAutoencoderConfig
from recommender.core.configs.simple import BiasConfig

USERS_AT_ONCE = 16_384  # users of a step whose codes are in memory at once


def readers_first(matrix: csr_array, config: DualAutoencoderConfig) -> csr_array:
    """The matrix with the ``most_readers`` users of the most ratings in front, if it has more."""
    if not 0 < config.most_readers < matrix.shape[0]:
        return matrix
    order = np.argsort(-np.diff(matrix.indptr), kind="stable")
    readers = np.sort(order[: config.most_readers])
    return matrix[np.concatenate((readers, np.sort(order[config.most_readers :])))]


class RatingParts:
    """A rating matrix (n_users, n_items) and its parts; tensors are made on ``device``.

    The first ``n_readers`` users have weights of their own (see ``readers_first``).
    """

    def __init__(
        self,
        matrix: csr_array,
        config: DualAutoencoderConfig,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.matrix, self.config, self.device, self.dtype = matrix, config, device, dtype
        self.n_readers = min(config.most_readers or matrix.shape[0], matrix.shape[0])
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
        pairs = self.select(withheld, residuals[withheld])
        n_users, n_readers = self.matrix.shape[0], self.n_readers
        edges = [*range(0, n_readers, USERS_AT_ONCE), *range(n_readers, n_users, USERS_AT_ONCE)]
        ranges = [slice(*both) for both in pairwise([*edges, n_users])]
        blocks: list[Callable[[], UserBlock]] = [
            partial(self._block, profiles, pairs, users) for users in ranges
        ]
        if len(blocks) == 1:  # it has the readers' kept ratings too, and a device waits for it
            block = blocks[0]()
            kept_by_user, by_item = block.kept, block.kept_by_item
            blocks = [lambda: block]
        else:
            readers = profiles[:n_readers]
            kept_by_user, by_item = self._sparse(readers), self._sparse(readers.tocsc())
        return WithheldPart(
            kept=kept_by_user,
            kept_by_item=by_item,
            blocks=blocks,
            n_reader_blocks=sum(users.start < n_readers for users in ranges),
            targets=torch.from_numpy(pairs.data).to(self.device, self.dtype),
            n_reader_targets=int(pairs.indptr[n_readers]),
        )

    def _block(self, profiles: csr_array, pairs: csr_array, users: slice) -> UserBlock:
        """The block of these users of the kept and withheld residuals (n_users, n_items)."""
        kept, own = profiles[users], pairs[users]
        places = csr_array((np.arange(own.nnz), own.indices, own.indptr), shape=own.shape)
        by_item = places.tocsc()
        counts = np.diff(kept.indptr)
        trust = counts / np.maximum(counts + self.config.trust, 1e-12)
        user_of = np.repeat(np.arange(len(counts)), np.diff(own.indptr))
        return UserBlock(
            first=users.start,
            kept=self._sparse(kept),
            kept_by_item=self._sparse(kept.tocsc()),
            withheld=replace(self._sparse(places), values=None),
            withheld_by_item=replace(self._sparse(by_item), values=None),
            targets=torch.from_numpy(own.data).to(self.device, self.dtype),
            user_of=torch.from_numpy(user_of).to(self.device),
            item_order=torch.from_numpy(by_item.data).to(self.device),
            trust=torch.from_numpy(trust[user_of]).to(self.device, self.dtype),
        )

    def _sparse(self, matrix: csr_array | csc_array) -> SparseMatrix:
        """The matrix, or the transpose of a CSC one."""
        return SparseMatrix.from_scipy(matrix, self.device, self.dtype)
