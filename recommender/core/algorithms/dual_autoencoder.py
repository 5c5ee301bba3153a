"""The autoencoder of preset ``tuned``: networks over both sides of the rating matrix, averaged."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_network import Batch, Member, Parts
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.ratings import Ratings
from recommender.core.systems import (
    BiasConfig,
    DualAutoencoderConfig,
    Progress,
    RunOptions,
    config_to_dict,
)
from recommender.core.training import Adam, guarded, resolve_device, train

TRAIN_ERROR_USERS = 20_000  # users behind train_rmse_ at most
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
        rest = profiles.data - self.bias.movies()[profiles.indices] - offsets[rows]
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
        for row in range(len(found)):
            part = slice(residuals.indptr[row], residuals.indptr[row + 1])
            codes = member["table"][residuals.indices[part]].astype(np.float64)  # (n, H + 1)
            if len(codes) > codes.shape[1]:
                inner = codes.T @ codes + self.config.ridge * np.eye(codes.shape[1])
                found[row] = np.linalg.solve(inner, codes.T @ residuals.data[part])
            elif len(codes):  # the same by way of the smaller system
                outer = codes @ codes.T + self.config.ridge * np.eye(len(codes))
                found[row] = codes.T @ np.linalg.solve(outer, residuals.data[part])
        return found


class WithheldParts:
    """The training task: in every pass each rating is withheld once, in one of a few parts."""

    def __init__(self, members: Mapping[str, Member], parts: Parts, config: DualAutoencoderConfig):
        self.members, self.parts, self.config = members, parts, config
        self.n_examples = parts.matrix.nnz
        self.optimiser = Adam()

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        return (self.parts.batch(withheld) for withheld in self.parts.drawn(rng))

    def step(self, batch: Batch, share: float, generator: torch.Generator) -> NDArray[np.floating]:
        """Every member learns by its own error; what is told is the error of their mean."""
        total = torch.zeros_like(batch.targets)
        steps = max(self.optimiser.steps.values(), default=0) + 1
        rate = self.config.learning_rate * min(1, steps / max(1, self.config.warmup_steps))
        rate *= (1 + math.cos(math.pi * share)) / 2
        for label, member in self.members.items():
            found, gradients = member.learn(batch, generator)
            total += found
            for name, gradient in gradients.items():
                weights = member.parameters[name]
                self.optimiser.update(f"{label}.{name}", weights, gradient, rate)
        errors = total / len(self.members) - batch.targets
        squared: NDArray[np.floating] = (errors**2).cpu().numpy()
        return squared

    def state(self) -> dict[str, NDArray]:
        own = {name: tensor.cpu().numpy() for name, tensor in self._parameters()}
        return {**own, **self.optimiser.state()}

    def restore(self, state: Mapping[str, NDArray]) -> None:
        for name, tensor in self._parameters():
            tensor.copy_(torch.from_numpy(np.array(state[name])))
        self.optimiser.restore(state, self.parts.device)

    def _parameters(self) -> Iterator[tuple[str, torch.Tensor]]:
        for label, member in self.members.items():
            for name, tensor in member.parameters.items():
                yield f"{label}.{name}", tensor


class DualAutoencoder(Recommender):
    """Autoencoders that read the profiles of users and of movies; their predictions are averaged.

    An empty profile gives the damped bias of an unknown user, a movie without training rating the
    damped bias of the user; any other prediction is the damped bias plus what the members add.
    A prediction depends on the profile alone, not on whether its user was trained on. It is
    computed on the CPU on every device. Ties: number of ratings of the movie, then hash.
    ``train_rmse_`` is the error on training ratings withheld part by part as in a pass, on the
    scale; of at most 20,000 users, drawn with the seed.
    """

    name: ClassVar[str] = "autoencoder"
    config: DualAutoencoderConfig
    readout_: Readout

    def __init__(self, config: DualAutoencoderConfig | None = None) -> None:
        super().__init__(DualAutoencoderConfig() if config is None else config)

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check_config(self.config)
        if ratings.n_ratings < 2:
            raise FitError("One rating is too few to withhold any. Import more ratings.")
        options = replace(options, device=resolve_device(options.device))
        with guarded(options):
            parts = Parts(self.profiles_, self.config, options.device)
            kinds = ["dual"] * self.config.dual_members + ["item"] * self.config.item_members
            members = {
                f"{kind}-{number}": Member.drawn(
                    kind,
                    self.profiles_.shape,
                    self.config,
                    [options.seed, number],
                    options.device,
                )
                for number, kind in enumerate(kinds)
            }
            identity = {
                "config": config_to_dict(self.config),
                "shape": [*self.profiles_.shape, ratings.n_ratings],
                "ratings": [
                    crc32(np.ascontiguousarray(part))
                    for part in (ratings.indptr, ratings.indices, ratings.values)
                ],
            }
            task = WithheldParts(members, parts, self.config)
            self.loss_curve_ = train(
                task, epochs=self.config.epochs, options=options, identity=identity
            )
            self.readout_ = Readout.of(members.values(), self.profiles_, parts)
            self.train_rmse_ = self._train_error(list(members.values()), parts, options)

    def _train_error(self, members: list[Member], parts: Parts, options: RunOptions) -> float:
        rng = np.random.default_rng([options.seed, self.config.epochs])
        users = np.sort(rng.permutation(self.profiles_.shape[0])[:TRAIN_ERROR_USERS])
        place = np.full(self.profiles_.shape[0], -1)
        place[users] = np.arange(len(users))
        total, done, asked = 0.0, 0, int(np.count_nonzero(place[parts.users] >= 0))
        for withheld in parts.drawn(rng):
            kept = parts.kept(withheld)
            readout = Readout.of(members, kept, parts)
            chosen = withheld & (place[parts.users] >= 0)
            rows, items = place[parts.users[chosen]], parts.movies[chosen]
            profiles = kept[users]
            known = np.bincount(kept.indices, minlength=self.n_items_)[items] > 0
            found = readout.bias.predict(profiles, rows, items)
            found += known * readout.pairs(profiles, rows, items)
            errors = self.scale_.clip(found) - self.profiles_.data[chosen]
            total, done = total + float(np.dot(errors, errors)), done + len(errors)
            options.progress(Progress("measuring", done, asked, self.config.epochs))
        return math.sqrt(total / max(1, done))

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
    ) -> NDArray[np.float64]:
        asked, inverse = np.unique(rows, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        chosen = profiles[asked]
        output = self.readout_.bias.predict(chosen, inverse, items)
        beyond = self.readout_.pairs(chosen, inverse[order], items[order])
        output[order] += np.where(self.counts_[items[order]] > 0, beyond, 0)
        return output

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        beyond = np.where(self.counts_ > 0, self.readout_.grid(profiles), 0)
        return self.readout_.bias.grid(profiles) + beyond, self.counts_.astype(np.float64)

    def _arrays(self) -> dict[str, NDArray]:
        members = enumerate(self.readout_.members)
        own = {f"member.{n}.{name}": a for n, member in members for name, a in member.items()}
        return {**own, **self.readout_.bias.to_arrays()}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        members: list[dict[str, NDArray]] = [
            {} for _ in range(self.config.dual_members + self.config.item_members)
        ]
        for name, array in arrays.items():
            if name.startswith("member."):
                _, number, own = name.split(".", 2)
                members[int(number)][own] = array
        self.readout_ = Readout(BiasTerms.from_arrays(arrays), self.config, members)


def check_config(config: DualAutoencoderConfig) -> None:
    """Raise ConfigurationError for values that cannot be trained."""
    least, most = config.withheld
    checks = {
        "dual_members": config.dual_members >= 0,
        "item_members": config.item_members >= 0 and config.dual_members + config.item_members > 0,
        "hidden": config.hidden >= 1,
        "epochs": config.epochs >= 1,
        "withheld": 0 < least <= most <= 0.5,
        "learning_rate": config.learning_rate > 0,
        "warmup_steps": config.warmup_steps >= 0,
        "dual_dropout": 0 <= config.dual_dropout < 1,
        "item_dropout": 0 <= config.item_dropout < 1,
        "penalty": config.penalty >= 0,
        "ridge": config.ridge > 0,
        "trust": config.trust >= 0,
    }
    if wrong := [name for name, fine in checks.items() if not fine]:
        values = ", ".join(f"{name}={getattr(config, name)!r}" for name in wrong)
        raise ConfigurationError(
            f"The autoencoder cannot be trained with {values}. See DualAutoencoderConfig for what "
            "is possible."
        )


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
