"""The autoencoder of preset ``tuned``: networks over both sides of the rating matrix, averaged."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import ClassVar
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender, check_fields
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_network import Batch, Member, Parts
from recommender.core.algorithms.dual_readout import Readout
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.ratings import Ratings
from recommender.core.systems import (
    DualAutoencoderConfig,
    Progress,
    RunOptions,
    config_to_dict,
)
from recommender.core.training import Adam, guarded, resolve_device, several, train

TRAIN_ERROR_USERS = 20_000  # users behind train_rmse_ at most
WITHHELD = "two shares from 0.001 to 0.5, the first at least a third of the second"


class WithheldParts:
    """The training task: in every pass each rating is withheld once, in one of a few parts."""

    def __init__(self, members: Mapping[str, Member], parts: Parts, config: DualAutoencoderConfig):
        self.members, self.parts, self.config = members, parts, config
        self.n_examples = parts.matrix.nnz
        self.optimiser = Adam()

    def batches(self, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        return self.parts.drawn(rng)

    def prepare(self, batch: NDArray[np.bool_]) -> Batch:
        return self.parts.batch(batch)

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

    def weights(self) -> Iterator[torch.Tensor]:
        return (tensor for _, tensor in self._parameters())

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
    scale; of at most 20,000 users, drawn with the seed. Where training was ended before its last
    pass, those of one part stand for all.
    """

    name: ClassVar[str] = "autoencoder"
    config: DualAutoencoderConfig
    readout_: Readout

    def __init__(self, config: DualAutoencoderConfig | None = None) -> None:
        super().__init__(DualAutoencoderConfig() if config is None else config)

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        check_config(self.config)
        if (size := several.rank_and_size()[1]) > 1:
            raise ConfigurationError(
                f"The preset tuned trains in one process: each of {size} would train a whole copy. "
                "Start it without torchrun, or take another preset."
            )
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
                    crc32(part.tobytes())
                    for part in (ratings.indptr, ratings.indices, ratings.values)
                ],
            }
            task = WithheldParts(members, parts, self.config)
            outcome = train(task, epochs=self.config.epochs, options=options, identity=identity)
            self.loss_curve_, self.finished_ = outcome.loss_curve, outcome.finished
            self.readout_ = Readout.of(members.values(), self.profiles_, parts)
            self.train_rmse_ = self._train_error(
                list(members.values()), parts, options, math.ceil(outcome.passes)
            )

    def _train_error(
        self, members: list[Member], parts: Parts, options: RunOptions, passes: int
    ) -> float:
        rng = np.random.default_rng([options.seed, self.config.epochs])
        users = np.sort(rng.permutation(self.profiles_.shape[0])[:TRAIN_ERROR_USERS])
        place = np.full(self.profiles_.shape[0], -1)
        place[users] = np.arange(len(users))
        total, done, asked = 0.0, 0, int(np.count_nonzero(place[parts.users] >= 0))
        for withheld in islice(parts.drawn(rng), None if self.finished_ else 1):
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
            options.progress(Progress("measuring", done, asked, passes))
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
    below_one, at_least_none = "at least 0, below 1", "at least 0"
    some_member = config.dual_members + config.item_members > 0
    check_fields(
        config,
        {
            "dual_members": (config.dual_members >= 0, at_least_none),
            "item_members": (config.item_members >= 0 and some_member, "one member in all or more"),
            "hidden": (config.hidden >= 1, "at least 1"),
            "epochs": (config.epochs >= 1, "at least 1"),
            "withheld": (_leaves_enough(config.withheld), WITHHELD),
            "learning_rate": (config.learning_rate > 0, "above 0"),
            "warmup_steps": (config.warmup_steps >= 0, at_least_none),
            "dual_dropout": (0 <= config.dual_dropout < 1, below_one),
            "item_dropout": (0 <= config.item_dropout < 1, below_one),
            "penalty": (config.penalty >= 0, at_least_none),
            "ridge": (config.ridge > 0, "above 0"),
            "trust": (config.trust >= 0, at_least_none),
        },
    )


def _leaves_enough(withheld: tuple[float, ...]) -> bool:
    """Sizes of parts are drawn between both shares and then stretched or shrunk to fill a pass.

    So a part may come out larger than asked for: within these limits it is below two thirds of
    the ratings, and a pass has a thousand parts at most.
    """
    if len(withheld) != 2:
        return False
    least, most = withheld
    return 0.001 <= least <= most <= 0.5 and most <= 3 * least + 1e-9
