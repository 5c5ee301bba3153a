"""Predicts with a trained dual autoencoder: a table of items and a reader of profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_autoencoder.network import MemberNetwork, WithheldPart
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts
from recommender.core.configs.networks import DualAutoencoderConfig
from recommender.core.configs.simple import BiasConfig

PROFILES_AT_ONCE = 1_024
PAIRS_AT_ONCE = 2_048  # their vectors stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Readout:
    """The damped bias and, for each member, a table of items and a way to read profiles.

    A member turns a profile into a vector. Its inner product with an item's row of the member's
    table is the predicted residual of the damped bias. For a dual member the vector is the code of
    the profile. For an item member it is the ridge regression of the profile on the table rows of
    its items; the vectors learned for training users are not used, so that known and unknown users
    are treated alike.
    """

    bias: BiasTerms
    config: DualAutoencoderConfig
    #: "table" (n_items, H + 1) and, for a dual member, the weights of its tower of users
    members: list[dict[str, NDArray]]

    @classmethod
    def of(cls, members: Iterable[MemberNetwork], parts: RatingParts, matrix: csr_array) -> Readout:
        """Compute the items' codes from ``matrix`` (n_users, n_items), users as in ``parts``."""
        parts = RatingParts(matrix, parts.config, parts.device, parts.dtype)
        whole = parts.prepare(np.zeros(matrix.nnz, bool))
        bias = BiasTerms.learn(matrix, BiasConfig())
        return cls(bias, parts.config, [_member_arrays(member, whole) for member in members])

    def predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        is_known: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """Predicted ratings (n), not clipped, of the pairs ``(rows[i], items[i])``; rows ascend.

        Pairs that are not ``is_known`` (n) get the damped bias alone.
        """
        residuals = np.zeros(len(rows))
        for start in range(0, profiles.shape[0], PROFILES_AT_ONCE):
            vectors = self.vectors(profiles[start : start + PROFILES_AT_ONCE])
            low, high = np.searchsorted(rows, [start, start + PROFILES_AT_ONCE])
            for first in range(low, high, PAIRS_AT_ONCE):
                part = slice(first, min(first + PAIRS_AT_ONCE, high))
                for own, member in zip(vectors, self.members, strict=True):
                    both = own[rows[part] - start], member["table"][items[part]]
                    residuals[part] += np.einsum("ij,ij->i", *both, dtype=np.float64)
        return self.bias.predict(profiles, rows, items) + np.where(is_known, residuals, 0)

    def residual_grid(self, profiles: csr_array) -> NDArray[np.float64]:
        """Predicted residuals (m, n_items) of every profile and item."""
        output = np.zeros(profiles.shape)
        for own, member in zip(self.vectors(profiles), self.members, strict=True):
            output += own @ member["table"].T
        return output

    def vectors(self, profiles: csr_array) -> list[NDArray[np.float32]]:
        """For each member (m, H + 1), shrunk for short profiles and divided by the members."""
        counts = np.diff(profiles.indptr)
        offsets = self.bias.user_offsets(profiles)
        rows = np.repeat(np.arange(len(counts)), counts)
        values = profiles.data - self.bias.item_means()[profiles.indices] - offsets[rows]
        residuals = csr_array((values, profiles.indices, profiles.indptr), shape=profiles.shape)
        trust = counts / np.maximum(counts + self.config.trust, 1e-12) / len(self.members)
        found = [
            _encode(residuals, member) if "given" in member else self._regress(residuals, member)
            for member in self.members
        ]
        return [(trust[:, None] * vectors).astype(np.float32) for vectors in found]

    def _regress(self, residuals: csr_array, member: dict[str, NDArray]) -> NDArray[np.float64]:
        """(m, H + 1) ridge regressions of the profiles on their items' rows of the table."""
        found = np.zeros((residuals.shape[0], member["table"].shape[1]))
        values = torch.from_numpy(residuals.data)
        with _one_thread():
            for row in range(len(found)):
                part = slice(residuals.indptr[row], residuals.indptr[row + 1])
                items = residuals.indices[part]
                codes = torch.from_numpy(member["table"][items].astype(np.float64))  # (n, H + 1)
                n, width = codes.shape
                penalty = self.config.ridge * torch.eye(min(n, width), dtype=torch.float64)
                if n > width:
                    solved = torch.linalg.solve(codes.T @ codes + penalty, codes.T @ values[part])
                else:  # the dual form, whose system is smaller
                    solved = codes.T @ torch.linalg.solve(codes @ codes.T + penalty, values[part])
                found[row] = solved.numpy()
        return found


@torch.no_grad()
def _member_arrays(member: MemberNetwork, whole: WithheldPart) -> dict[str, NDArray]:
    """A trained member's table (n_items, H + 1) and, of a dual one, its tower of users."""
    codes = member.items(whole.kept_by_item, whole.kept).cpu().numpy()
    if not member.is_dual:
        return {"table": np.hstack([codes, np.ones((len(codes), 1), codes.dtype)])}
    own = {name: weights.cpu().numpy() for name, weights in member.named_parameters()}
    return {
        "table": np.hstack([codes @ own["link"].T, own["offsets"][:, None]]),
        **{name: own[f"users.{name}"] for name in ("given", "seen", "bias")},
    }


def _encode(residuals: csr_array, member: dict[str, NDArray]) -> NDArray[np.float64]:
    """(m, H + 1): the code of each profile, and 1 for the item's offset."""
    counts = np.diff(residuals.indptr)
    ones = csr_array(
        (np.ones(residuals.nnz), residuals.indices, residuals.indptr), shape=residuals.shape
    )
    sums = residuals @ member["given"] + ones @ member["seen"]
    sums = sums / np.maximum(counts, 1)[:, None] ** 0.5 + member["bias"]
    codes = torch.selu(torch.from_numpy(sums)).numpy()
    return np.hstack([codes, np.ones((len(codes), 1))])


@contextmanager
def _one_thread() -> Iterator[None]:
    """Solve the many small systems in one thread: several would mostly wait for each other."""
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)
