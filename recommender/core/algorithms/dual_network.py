"""Networks over both sides of the rating matrix; their gradients are written out, without autograd.

Every sum over ratings is a sum of rows in a fixed order, forwards and backwards, so that a step
gives the same bits whatever the number of threads, and its memory does not grow with the pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch.nn.functional import selu

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.withheld import SparseRows
from recommender.core.systems import BiasConfig, DualAutoencoderConfig

PAIRS_AT_ONCE = 65_536  # withheld pairs whose codes are gathered at once: 128 MB at width 512
SELU_SCALE, SELU_FLOOR = 1.0507009873554805, 1.7580993408473766  # scale, scale * alpha


@dataclass(frozen=True)
class Side:
    """The kept ratings of one side, users or movies: n profiles over the m of the other side."""

    residuals: SparseRows  #: (n x m) what the damped bias leaves over of each kept rating
    seen: SparseRows  #: (n x m) 1 at each kept rating
    scale: torch.Tensor  #: (n, 1) one over the root of the number of kept ratings


@dataclass(frozen=True)
class Batch:
    """One step: part of the ratings is withheld (E of them), all others are the profiles."""

    users: Side
    movies: Side
    trust: torch.Tensor  #: (n_users) n / (n + trust) of each user's n kept ratings
    user_of: torch.Tensor  #: (E) ascending
    movie_of: torch.Tensor  #: (E)
    targets: torch.Tensor  #: (E) what the damped bias of the kept ratings leaves over
    user_offsets: torch.Tensor  #: (n_users + 1) where each user's pairs start
    movie_order: torch.Tensor  #: (E) pairs ordered by movie
    movie_offsets: torch.Tensor  #: (n_movies + 1) where each movie's pairs start in that order


class Parts:
    """A rating matrix cut into parts that are withheld in turn."""

    def __init__(
        self,
        matrix: csr_array,
        config: DualAutoencoderConfig,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.matrix, self.config, self.device, self.dtype = matrix, config, device, dtype
        self.movies = matrix.indices.astype(np.int64)
        self.users = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        self.by_movie = np.argsort(self.movies, kind="stable")

    def drawn(self, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        """Masks (n_ratings) of the parts of one pass: every rating is in exactly one of them."""
        least, most = self.config.withheld
        sizes = rng.uniform(least, most, round(2 / (least + most)))
        ends = np.round(np.cumsum(sizes)[:-1] / sizes.sum() * self.matrix.nnz).astype(np.int64)
        for part in np.split(rng.permutation(self.matrix.nnz), ends):
            mask = np.zeros(self.matrix.nnz, bool)
            mask[part] = True
            if len(part):
                yield mask

    def kept(self, withheld: NDArray[np.bool_]) -> csr_array:
        """The matrix without the ratings of a part."""
        counts = np.bincount(self.users[~withheld], minlength=self.matrix.shape[0])
        indptr = np.concatenate(([0], np.cumsum(counts)))
        parts = (self.matrix.data[~withheld], self.matrix.indices[~withheld], indptr)
        return csr_array(parts, shape=self.matrix.shape)

    def batch(self, withheld: NDArray[np.bool_]) -> Batch:
        """The step that withholds a part; means and offsets are those of the other ratings."""
        kept = self.kept(withheld)
        bias = BiasTerms.learn(kept, BiasConfig())
        known = bias.item_means()[self.movies] + bias.user_offsets(kept)[self.users]
        residuals = self.matrix.data - known
        columns = self.by_movie[~withheld[self.by_movie]]
        user_of, movie_of = self.users[withheld], self.movies[withheld]
        n_users, n_movies = self.matrix.shape
        counts = np.diff(kept.indptr)
        return Batch(
            users=self._side(self.movies[~withheld], residuals[~withheld], counts),
            movies=self._side(
                self.users[columns],
                residuals[columns],
                np.bincount(kept.indices, minlength=n_movies),
            ),
            trust=self._real(counts / np.maximum(counts + self.config.trust, 1e-12)),
            user_of=self._whole(user_of),
            movie_of=self._whole(movie_of),
            targets=self._real(residuals[withheld]),
            user_offsets=self._starts(np.bincount(user_of, minlength=n_users)),
            movie_order=self._whole(np.argsort(movie_of, kind="stable")),
            movie_offsets=self._starts(np.bincount(movie_of, minlength=n_movies)),
        )

    def _side(self, columns: NDArray, residuals: NDArray, counts: NDArray) -> Side:
        rows = SparseRows(self._starts(counts), self._whole(columns), self._real(residuals))
        scale = self._real(np.maximum(counts, 1) ** -0.5)[:, None]
        return Side(rows, replace(rows, weights=torch.ones_like(rows.weights)), scale)

    def _starts(self, counts: NDArray) -> torch.Tensor:
        return self._whole(np.concatenate(([0], np.cumsum(counts))))

    def _whole(self, values: NDArray) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.int64)).to(self.device)

    def _real(self, values: NDArray) -> torch.Tensor:
        return torch.from_numpy(np.asarray(values)).to(self.device, self.dtype)


class Member:
    """One network. Its prediction is a movie's code times a user's vector, plus an offset.

    A code is ``selu((sum_v x_v W_v + sum_v M_v) / sqrt(n) + b)`` over the n ratings x_v of a
    profile: W reads what was given, M that it was. An *item* member (after AutoRec's item form;
    Sedhain et al., WWW 2015) has a code for each movie and learns a vector and an offset for each
    user. A *dual* member also has a code for each user; its vector is that code times ``link``,
    its offset is the movie's.
    """

    def __init__(
        self, kind: str, parameters: Mapping[str, torch.Tensor], config: DualAutoencoderConfig
    ) -> None:
        self.kind, self.parameters = kind, dict(parameters)
        self.dropout = config.dual_dropout if kind == "dual" else config.item_dropout
        self.penalty = config.penalty

    @classmethod
    def drawn(
        cls,
        kind: str,
        shape: tuple[int, int],
        config: DualAutoencoderConfig,
        seed: list[int],
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Member:
        """Uniform weights; those of the users' vectors are small, so that training starts at 0."""
        rng = np.random.default_rng(seed)  # on the CPU: the same on every device
        (n_users, n_movies), width = shape, config.hidden

        def uniform(bound: float, *size: int) -> torch.Tensor:
            return torch.from_numpy(rng.uniform(-bound, bound, size)).to(device, dtype)

        def tower(name: str, n: int) -> dict[str, torch.Tensor]:
            bound = (2 * n) ** -0.5
            return {
                f"{name}.given": uniform(bound, n, width),
                f"{name}.seen": uniform(bound, n, width),
                f"{name}.bias": uniform(bound, width),
            }

        parameters = tower("movies", n_users)  # a movie's profile holds users
        if kind == "dual":
            parameters |= tower("users", n_movies)
            parameters["link"] = uniform(width**-0.5, width, width)
        else:
            parameters["vectors"] = uniform(0.1 * width**-0.5, n_users, width)
        parameters["offsets"] = uniform(0, n_movies if kind == "dual" else n_users)
        return cls(kind, parameters, config)

    def codes(self, name: str, side: Side) -> torch.Tensor:
        """(n, H) codes of all profiles of a side; ``name`` is "users" or "movies"."""
        sums = side.residuals.times(self.parameters[f"{name}.given"])
        sums += side.seen.times(self.parameters[f"{name}.seen"])
        return selu(sums.mul_(side.scale).add_(self.parameters[f"{name}.bias"]), inplace=True)

    def learn(
        self, batch: Batch, generator: torch.Generator | None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Predictions (E) of the withheld residuals, and the gradient of the loss.

        The loss is the mean squared error of the predictions plus ``penalty`` times the sum of
        all squared weights, biases and offsets left out.
        """
        own, dual = self.parameters, self.kind == "dual"
        movie_codes = self.codes("movies", batch.movies)
        movie_mask = self._mask(movie_codes, generator)
        movies = movie_codes if movie_mask is None else movie_codes * movie_mask  # (n_movies, H)
        if dual:
            user_codes = self.codes("users", batch.users)
            user_mask = self._mask(user_codes, generator)
            reading = user_codes if user_mask is None else user_codes * user_mask  # (n_users, H)
            vectors = reading @ own["link"]
        else:
            vectors = own["vectors"]

        found = own["offsets"][batch.movie_of if dual else batch.user_of].clone()
        for start in range(0, len(found), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            found[part] += (vectors[batch.user_of[part]] * movies[batch.movie_of[part]]).sum(1)
        found *= batch.trust[batch.user_of]

        slopes = (found - batch.targets) * batch.trust[batch.user_of] * (2 / len(found))
        of_users = SparseRows(batch.user_offsets, batch.movie_of, slopes)
        order = batch.movie_order
        of_movies = SparseRows(batch.movie_offsets, batch.user_of[order], slopes[order])
        vectors_slope = of_users.times(movies)  # (n_users, H)
        movies_slope = of_movies.times(vectors)  # (n_movies, H)
        ones = torch.ones(len(vectors if dual else movies), 1).to(vectors)
        gradients = {"offsets": (of_movies if dual else of_users).times(ones)[:, 0]}
        gradients |= self._tower_gradients(
            "movies", movie_codes, movies_slope, movie_mask, batch.movies.scale, batch.users
        )
        if dual:
            gradients["link"] = reading.T @ vectors_slope
            gradients |= self._tower_gradients(
                "users",
                user_codes,
                vectors_slope @ own["link"].T,
                user_mask,
                batch.users.scale,
                batch.movies,
            )
        else:
            gradients["vectors"] = vectors_slope
        for name, gradient in gradients.items():
            if gradient.ndim > 1:
                gradient.add_(own[name], alpha=2 * self.penalty)
        return found, gradients

    def _tower_gradients(
        self,
        name: str,
        codes: torch.Tensor,
        slope: torch.Tensor,
        mask: torch.Tensor | None,
        scale: torch.Tensor,
        other: Side,
    ) -> dict[str, torch.Tensor]:
        """Through the codes (n, H) to their weights (m, H); ``other`` is the side of the m."""
        if mask is not None:
            slope = slope.mul_(mask)
        slope.mul_(torch.where(codes > 0, SELU_SCALE, codes + SELU_FLOOR))  # selu's derivative
        bias = slope.sum(0)
        slope.mul_(scale)
        return {
            f"{name}.given": other.residuals.times(slope),
            f"{name}.seen": other.seen.times(slope),
            f"{name}.bias": bias,
        }

    def _mask(self, codes: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor | None:
        """Which values dropout keeps, scaled so that the mean stays; None without dropout."""
        if generator is None or not self.dropout:
            return None
        drawn = torch.rand(codes.shape, generator=generator, device=codes.device)
        return (drawn >= self.dropout).to(codes.dtype) / (1 - self.dropout)
