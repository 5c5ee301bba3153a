"""The networks of the dual autoencoder: torch modules around two sparse products.

Both products add rows in a fixed order, forwards and backwards. So a step gives the same bits with
any number of threads, and its memory does not grow with the number of withheld pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import mse_loss, selu

from recommender.core.algorithms.sparse_matrix import SparseMatrix
from recommender.core.configs.networks import DualAutoencoderConfig

PAIRS_AT_ONCE = 2_048  # pairs whose vectors are gathered at once; they stay in the CPU's cache


@dataclass(frozen=True)
class UserBlock:
    """What a step reads of b users, of whose ratings E are withheld; all others are kept.

    Values are residuals: ratings minus the damped bias of the kept ratings.
    """

    first: int  #: the position of its first user
    kept: SparseMatrix  #: (b, n_items)
    kept_by_item: SparseMatrix  #: its transpose
    withheld: SparseMatrix  #: (b, n_items), ones
    withheld_by_item: SparseMatrix  #: its transpose
    targets: torch.Tensor  #: (E) the withheld residuals, in order of user
    user_of: torch.Tensor  #: (E) the user of each target, counted from the first of the block
    item_order: torch.Tensor  #: (E) positions of the targets in order of item
    trust: torch.Tensor  #: (E) n / (n + trust) for the n kept ratings of the target's user


@dataclass(frozen=True)
class WithheldPart:
    """What one step reads: the items' profiles, and the users in blocks.

    Only the ratings of the first ``n_readers`` users, who have weights of their own, are in the
    items' profiles. A block is made when it is called for, so that one of them is in memory.
    """

    kept: SparseMatrix  #: (n_readers, n_items), residuals
    kept_by_item: SparseMatrix  #: its transpose
    blocks: Sequence[Callable[[], UserBlock]]  #: the first ``n_reader_blocks`` have the readers
    n_reader_blocks: int
    targets: torch.Tensor  #: (E) those of all blocks
    n_reader_targets: int


class SparseProduct(torch.autograd.Function):
    """``matrix`` (n, m) times ``dense`` (m, H); the transpose is needed for the way back."""

    @staticmethod
    def forward(
        ctx: Any, dense: torch.Tensor, matrix: SparseMatrix, transpose: SparseMatrix
    ) -> torch.Tensor:
        ctx.transpose = transpose
        return matrix.times(dense)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.transpose.times(gradients[0]), None, None


class PairProduct(torch.autograd.Function):
    """(E) inner products of rows of ``users`` (b, H) and ``items`` (n_items, H)."""

    @staticmethod
    def forward(
        ctx: Any, users: torch.Tensor, items: torch.Tensor, part: UserBlock
    ) -> torch.Tensor:
        ctx.save_for_backward(users, items)
        ctx.part = part
        products = users.new_empty(len(part.user_of))
        for start in range(0, len(products), PAIRS_AT_ONCE):
            pairs = slice(start, start + PAIRS_AT_ONCE)
            rows = users[part.user_of[pairs]], items[part.withheld.columns[pairs]]
            products[pairs] = (rows[0] * rows[1]).sum(1)
        return products

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        (users, items), slopes = ctx.saved_tensors, gradients[0]
        by_user = replace(ctx.part.withheld, values=slopes)
        by_item = replace(ctx.part.withheld_by_item, values=slopes[ctx.part.item_order])
        return by_user.times(items), by_item.times(users), None


class Tower(nn.Module):
    """Codes ``selu((sum_v x_v W_v + sum_v M_v) / sqrt(n) + b)`` of profiles of n residuals x_v.

    W (``given``) reads the residuals, M (``seen``) which items or users they belong to.
    """

    def __init__(self, n: int, width: int, rng: np.random.Generator) -> None:
        super().__init__()
        bound = (2 * n) ** -0.5
        self.given = _uniform(rng, bound, n, width)
        self.seen = _uniform(rng, bound, n, width)
        self.bias = _uniform(rng, bound, width)

    def forward(self, profiles: SparseMatrix, transpose: SparseMatrix) -> torch.Tensor:
        """The codes (n_profiles, H)."""
        seen, seen_transpose = replace(profiles, values=None), replace(transpose, values=None)
        sums = SparseProduct.apply(self.given, profiles, transpose)
        sums = sums + SparseProduct.apply(self.seen, seen, seen_transpose)
        counts = profiles.starts.diff().clamp(min=1).to(sums.dtype)
        return selu(sums * counts[:, None] ** -0.5 + self.bias)


class MemberNetwork(nn.Module):
    """One network. It predicts a residual as item code times user vector, plus an offset.

    An *item* member learns a vector and an offset for each user (after the item form of AutoRec;
    Sedhain et al., WWW 2015). A *dual* member computes the user's vector from the user's code and
    the matrix ``link``, and learns an offset for each item. ``shape`` has the number of users with
    weights of their own, who come first, and the number of items.
    """

    def __init__(
        self, kind: str, shape: tuple[int, int], config: DualAutoencoderConfig, seed: list[int]
    ) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)  # on the CPU: the same weights on every device
        (n_users, n_items), width = shape, config.hidden
        self.is_dual = kind == "dual"
        self.dropout = config.dual_dropout if self.is_dual else config.item_dropout
        self.items = Tower(n_users, width, rng)  # an item's profile consists of users
        if self.is_dual:
            self.users = Tower(n_items, width, rng)
            self.link = _uniform(rng, width**-0.5, width, width)
        else:  # small vectors, so that the first predictions are close to 0
            self.vectors = _uniform(rng, 0.1 * width**-0.5, n_users, width)
        self.offsets = nn.Parameter(torch.zeros(n_items if self.is_dual else n_users))

    def code_items(self, part: WithheldPart, generator: torch.Generator | None) -> torch.Tensor:
        """The codes (n_items, H); without a generator there is no dropout."""
        return self._drop(self.items(part.kept_by_item, part.kept), generator)

    def forward(
        self, block: UserBlock, items: torch.Tensor, generator: torch.Generator | None
    ) -> torch.Tensor:
        """(E) predictions of the block's withheld residuals from the items' codes."""
        if self.is_dual:
            users = self._drop(self.users(block.kept, block.kept_by_item), generator) @ self.link
            items = torch.cat([items, self.offsets[:, None]], 1)  # (n_items, H + 1)
            users = torch.cat([users, torch.ones_like(users[:, :1])], 1)  # (b, H + 1)
        else:
            own = slice(block.first, block.first + len(block.kept.starts) - 1)
            users = torch.cat([self.vectors[own], self.offsets[own, None]], 1)
            items = torch.cat([items, torch.ones_like(items[:, :1])], 1)
        return block.trust * PairProduct.apply(users, items, block)

    def learn(self, part: WithheldPart, generator: torch.Generator) -> torch.Tensor:
        """Add the gradients of the mean squared error; returns the predictions (E).

        An item member predicts the ratings of readers alone, which are the first.
        """
        codes = self.code_items(part, generator)
        items = codes.detach().requires_grad_()
        n_blocks, n_targets = len(part.blocks), len(part.targets)
        if not self.is_dual:
            n_blocks, n_targets = part.n_reader_blocks, part.n_reader_targets
        predictions = [part.targets[:0]]
        for make_block in part.blocks[:n_blocks]:
            block = make_block()
            predicted = self(block, items, generator)
            if len(predicted):
                (mse_loss(predicted, block.targets) * (len(predicted) / n_targets)).backward()
            predictions.append(predicted.detach())
        if items.grad is not None:
            codes.backward(items.grad)
        return torch.cat(predictions)

    def _drop(self, codes: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
        """Dropout with a generator, which ``torch.nn.functional.dropout`` does not take."""
        if generator is None or not self.dropout:
            return codes
        drawn = torch.rand(codes.shape, generator=generator, device=codes.device)
        return codes * ((drawn >= self.dropout).to(codes.dtype) / (1 - self.dropout))


def _uniform(rng: np.random.Generator, bound: float, *size: int) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(rng.uniform(-bound, bound, size).astype(np.float32)))
