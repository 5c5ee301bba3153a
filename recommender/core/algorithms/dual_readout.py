"""What a trained dual autoencoder predicts with: a table of movies, a reader of profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_network import Batch, Member, Parts
from recommender.core.systems import BiasConfig, DualAutoencoderConfig

PROFILES_AT_ONCE = 1_024
PAIRS_AT_ONCE = 8_192


@dataclass(frozen=True, eq=False)
class Readout:
    """What predicts once the networks are trained: a table for the movies, a reader of profiles.

    A profile becomes a vector, and its product with a movie's row of the member's table is how
    far the movie's stars lie from the damped bias. For a dual member the vector is the profile's
    code. For an item member it is the ridge regression of the profile on the codes of its movies,
    whoever the user: what training learnt for its own users is not used.
    """

    bias: BiasTerms
    config: DualAutoencoderConfig
    members: list[dict[str, NDArray]]  #: tables and, for dual members, the weights of the reader

    @classmethod
    def of(cls, members: Iterable[Member], matrix: csr_array, parts: Parts) -> Readout:
        """Codes of the movies from the ratings in ``matrix`` (users x movies)."""
        batch = Parts(matrix, parts.config, parts.device, parts.dtype).batch(
            np.zeros(matrix.nnz, bool)
        )
        return cls(
            BiasTerms.learn(matrix, BiasConfig()),
            parts.config,
            [_member_arrays(member, batch) for member in members],
        )

    def vectors(self, profiles: csr_array) -> list[NDArray[np.float32]]:
        """For each member (m, H + 1), shrunk for short profiles and divided by the members."""
        counts = np.diff(profiles.indptr)
        offsets = self.bias.user_offsets(profiles)
        rows = np.repeat(np.arange(len(counts)), counts)
        rest = profiles.data - self.bias.item_means()[profiles.indices] - offsets[rows]
        residuals = csr_array((rest, profiles.indices, profiles.indptr), shape=profiles.shape)
        trust = counts / np.maximum(counts + self.config.trust, 1e-12) / len(self.members)
        found = [
            _read(residuals, member) if "given" in member else self._regress(residuals, member)
            for member in self.members
        ]
        return [(trust[:, None] * vectors).astype(np.float32) for vectors in found]

    def pairs(
        self, profiles: csr_array, rows: NDArray[np.int64], items: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Stars beyond the damped bias of each pair; ``rows`` ascend."""
        output = np.zeros(len(rows))
        for start in range(0, profiles.shape[0], PROFILES_AT_ONCE):
            vectors = self.vectors(profiles[start : start + PROFILES_AT_ONCE])
            low, high = np.searchsorted(rows, [start, start + PROFILES_AT_ONCE])
            for first in range(low, high, PAIRS_AT_ONCE):
                part = slice(first, min(first + PAIRS_AT_ONCE, high))
                for own, member in zip(vectors, self.members, strict=True):
                    both = own[rows[part] - start], member["table"][items[part]]
                    output[part] += np.einsum("ij,ij->i", *both, dtype=np.float64)
        return output

    def grid(self, profiles: csr_array) -> NDArray[np.float64]:
        """The same for every profile and movie (m, n_movies)."""
        output = np.zeros(profiles.shape)
        for own, member in zip(self.vectors(profiles), self.members, strict=True):
            output += own @ member["table"].T
        return output

    def _regress(self, residuals: csr_array, member: dict[str, NDArray]) -> NDArray[np.float64]:
        """(m, H + 1) the ridge regression of each profile on its movies' rows of the table."""
        found = np.zeros((residuals.shape[0], member["table"].shape[1]))
        values = torch.from_numpy(residuals.data)
        with _one_thread():
            for row in range(len(found)):
                part = slice(residuals.indptr[row], residuals.indptr[row + 1])
                movies = residuals.indices[part]
                codes = torch.from_numpy(member["table"][movies].astype(np.float64))  # (n, H + 1)
                n, width = codes.shape
                weight = self.config.ridge * torch.eye(min(n, width), dtype=torch.float64)
                if n > width:
                    solved = torch.linalg.solve(codes.T @ codes + weight, codes.T @ values[part])
                else:  # the same by way of the smaller system
                    solved = codes.T @ torch.linalg.solve(codes @ codes.T + weight, values[part])
                found[row] = solved.numpy()
        return found


def _member_arrays(member: Member, batch: Batch) -> dict[str, NDArray]:
    """The table (n_movies, H + 1) of a trained member, and what a dual one reads profiles with."""
    own = {name: tensor.cpu().numpy() for name, tensor in member.parameters.items()}
    codes = member.codes("movies", batch.movies).cpu().numpy()
    if member.kind == "item":
        return {"table": np.hstack([codes, np.ones((len(codes), 1), codes.dtype)])}
    return {
        "table": np.hstack([codes @ own["link"].T, own["offsets"][:, None]]),
        **{name: own[f"users.{name}"] for name in ("given", "seen", "bias")},
    }


def _read(residuals: csr_array, member: dict[str, NDArray]) -> NDArray[np.float64]:
    """(m, H + 1) the code of each profile, and 1 for the movie's offset."""
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
    """Many small systems: threads would wait for each other far longer than they work."""
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)
