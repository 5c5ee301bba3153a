"""The dual autoencoder: networks over both sides of the rating matrix, averaged."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.dual_autoencoder.network import MemberNetwork, WithheldPart
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts, readers_first
from recommender.core.algorithms.dual_autoencoder.readout import Readout
from recommender.core.configs.networks import DualAutoencoderConfig
from recommender.core.errors import ConfigurationError, FitError
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions, time_left
from recommender.core.systems import config_to_dict
from recommender.core.training.devices import resolve_device, run_limits
from recommender.core.training.distributed import rank_and_size
from recommender.core.training.loop import train_task
from recommender.core.training.optimiser import adam_state_to_arrays, restore_adam_state

EPSILON_UP_TO = 100_000  # ratings up to which Adam has its usual epsilon
LATER = ("most_readers", "penalty_per_rating")  # 0 stands for what was before
TRAIN_ERROR_USERS = 20_000  # at most so many users are behind train_rmse_


class WithheldPartsTask:
    """The training task: every pass withholds each rating once, in one of a few parts."""

    def __init__(
        self,
        members: Mapping[str, MemberNetwork],
        parts: RatingParts,
        config: DualAutoencoderConfig,
    ) -> None:
        self.members, self.parts, self.config = members, parts, config
        self.n_examples = parts.matrix.nnz
        # One optimiser for each member, so that one member's gradients at a time are in memory.
        self.optimisers = {
            label: _adam(member, config, self.n_examples) for label, member in members.items()
        }
        self.steps = 0

    def batches(self, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        return self.parts.draw_masks(rng)

    def prepare(self, batch: NDArray[np.bool_]) -> WithheldPart:
        return self.parts.prepare(batch)

    def step(
        self, batch: WithheldPart, share: float, generator: torch.Generator
    ) -> NDArray[np.floating]:
        """Each member learns from its own error; the squared errors (E) are of their mean."""
        self.steps += 1
        rate = self.config.learning_rate * min(1, self.steps / max(1, self.config.warmup_steps))
        rate *= (1 + math.cos(math.pi * share)) / 2
        total, n_members = torch.zeros_like(batch.targets), torch.zeros_like(batch.targets)
        for label, member in self.members.items():
            predicted = member.learn(batch, generator)
            total[: len(predicted)] += predicted
            n_members[: len(predicted)] += 1
            optimiser = self.optimisers[label]
            for group in optimiser.param_groups:
                group["lr"] = rate
            optimiser.step()
            optimiser.zero_grad()
        errors = total / n_members.clamp(min=1) - batch.targets
        squared: NDArray[np.floating] = (errors**2).cpu().numpy()
        return squared

    def weights(self) -> Iterable[torch.Tensor]:
        return self._parameters().values()

    def state(self) -> dict[str, NDArray]:
        parameters = self._parameters()
        arrays = {name: weights.detach().cpu().numpy() for name, weights in parameters.items()}
        return {**arrays, **adam_state_to_arrays(self.optimisers.values(), parameters)}

    def restore(self, state: Mapping[str, NDArray]) -> None:
        parameters = self._parameters()
        for name, weights in parameters.items():
            weights.data.copy_(torch.from_numpy(np.array(state[name])))
            self.steps = int(state[f"adam.steps.{name}"][0])
        restore_adam_state(self.optimisers.values(), parameters, state)

    def _parameters(self) -> dict[str, torch.Tensor]:
        """Weights by their names in a checkpoint, which call the items movies."""
        return {
            f"{label}.{name.replace('items.', 'movies.')}": weights
            for label, member in self.members.items()
            for name, weights in member.named_parameters()
        }


class DualAutoencoder(Recommender):
    """Autoencoders that read the profiles of users and of items; their predictions are averaged.

    A prediction is the damped bias plus what the members add. They add nothing for an empty
    profile or an item without training ratings. A prediction depends on the profile alone, not on
    whether its user was trained on, and is computed on the CPU whatever the device. Tie breaks:
    number of ratings of the item, then the seeded hash. ``train_rmse_`` is the error on the scale
    of training ratings withheld part by part, as in a pass, for at most 20,000 users drawn with
    the seed; if training ended early, of one part alone.
    """

    name: ClassVar[str] = "dual-autoencoder"
    config: DualAutoencoderConfig
    readout_: Readout

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        has_member = own.dual_members + own.item_members > 0
        return {
            "dual_members": (own.dual_members >= 0, "at least 0"),
            "item_members": (own.item_members >= 0 and has_member, "at least one member in all"),
            "hidden": (own.hidden >= 1, "at least 1"),
            "epochs": (own.epochs >= 1, "at least 1"),
            "withheld": (
                _leaves_enough(own.withheld),
                "two shares from 0.001 to 0.5, the first at least a third of the second",
            ),
            "learning_rate": (own.learning_rate > 0, "above 0"),
            "warmup_steps": (own.warmup_steps >= 0, "at least 0"),
            "dual_dropout": (0 <= own.dual_dropout < 1, "at least 0, below 1"),
            "item_dropout": (0 <= own.item_dropout < 1, "at least 0, below 1"),
            "penalty": (own.penalty >= 0, "at least 0"),
            "ridge": (own.ridge > 0, "above 0"),
            "trust": (own.trust >= 0, "at least 0"),
            "most_readers": (own.most_readers >= 0, "at least 0"),
            "penalty_per_rating": (own.penalty_per_rating >= 0, "at least 0"),
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        if (size := rank_and_size()[1]) > 1:
            raise ConfigurationError(
                f"{self.name} trains in one process, but {size} were started. "
                "Start one without torchrun, or choose another system."
            )
        if ratings.n_ratings < 2:
            raise FitError("One rating is too few to withhold any. Import more ratings.")
        options = replace(options, device=resolve_device(options.device))
        with run_limits(options):
            matrix = readers_first(self.profiles_, self.config)
            parts = RatingParts(matrix, self.config, options.device)
            kinds = ["dual"] * self.config.dual_members + ["item"] * self.config.item_members
            shape = parts.n_readers, self.n_items_
            members = {
                f"{kind}-{number}": MemberNetwork(
                    kind, shape, self.config, [options.seed, number]
                ).to(options.device)
                for number, kind in enumerate(kinds)
            }
            task = WithheldPartsTask(members, parts, self.config)
            outcome = train_task(
                task,
                epochs=self.config.epochs,
                options=options,
                identity=_identity(self.config, ratings),
            )
            del task  # with it the moments of Adam, which are twice as large as the weights
            self.loss_curve_, self.finished_ = outcome.loss_curve, outcome.finished
            self.readout_ = Readout.of(members.values(), parts, matrix)
            self.train_rmse_ = self._train_error(
                list(members.values()), parts, options, math.ceil(outcome.passes)
            )

    def _train_error(
        self, members: list[MemberNetwork], parts: RatingParts, options: RunOptions, passes: int
    ) -> float:
        rng = np.random.default_rng([options.seed, self.config.epochs])
        n_users = parts.matrix.shape[0]
        users = np.sort(rng.permutation(n_users)[:TRAIN_ERROR_USERS])
        place = np.full(n_users, -1)
        place[users] = np.arange(len(users))
        sampled = place[parts.users] >= 0
        total, done, n_sampled = 0.0, 0, int(np.count_nonzero(sampled))
        started = time.monotonic()
        for withheld in islice(parts.draw_masks(rng), None if self.finished_ else 1):
            kept, chosen = parts.select(~withheld), withheld & sampled
            rows, items = place[parts.users[chosen]], parts.items[chosen]
            is_known = np.bincount(kept.indices, minlength=self.n_items_)[items] > 0
            readout = Readout.of(members, parts, kept)
            predicted = readout.predict(kept[users], rows, items, is_known)
            errors = self.scale_.clip(predicted) - parts.matrix.data[chosen]
            total, done = total + float(np.dot(errors, errors)), done + len(errors)
            left = time_left(started, done, n_sampled)
            options.progress(Progress("measuring", done, n_sampled, passes, seconds_left=left))
        return math.sqrt(total / max(1, done))

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        asked, rows = np.unique(rows, return_inverse=True)
        order = np.argsort(rows, kind="stable")
        rows, items = rows[order], items[order]
        predicted = np.empty(len(rows))
        predicted[order] = self.readout_.predict(
            profiles[asked], rows, items, self.counts_[items] > 0
        )
        return predicted

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        residuals = np.where(self.counts_ > 0, self.readout_.residual_grid(profiles), 0)
        return self.readout_.bias.grid(profiles) + residuals, self.counts_.astype(np.float64)

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


def _identity(config: DualAutoencoderConfig, ratings: Ratings) -> dict[str, Any]:
    """What a checkpoint must agree with; settings that came later count only where they are set."""
    values = config_to_dict(config)
    return {
        "config": {name: value for name, value in values.items() if value or name not in LATER},
        "shape": [ratings.n_users, ratings.n_items, ratings.n_ratings],
        "ratings": [
            crc32(part.tobytes()) for part in (ratings.indptr, ratings.indices, ratings.values)
        ],
    }


def _leaves_enough(withheld: tuple[float, ...]) -> bool:
    """Whether no part can hold two thirds of the ratings, and no pass more than a thousand parts.

    Part sizes are drawn between the two shares and then scaled to fill a pass, so a part may be
    larger than the second share.
    """
    if len(withheld) != 2:
        return False
    least, most = withheld
    return 0.001 <= least <= most <= 0.5 and most <= 3 * least + 1e-9


def _adam(member: MemberNetwork, config: DualAutoencoderConfig, n: int) -> torch.optim.Adam:
    """Adam for n training ratings."""
    penalty, eps = config.penalty + config.penalty_per_rating / n, 1e-8
    if config.penalty_per_rating:
        # The mean error's gradient of a user's weights is inversely proportional to n. From this
        # size on it would no longer be large beside Adam's epsilon.
        eps *= min(1.0, EPSILON_UP_TO / n)
    matrices = [weights for weights in member.parameters() if weights.ndim > 1]
    others = [weights for weights in member.parameters() if weights.ndim == 1]
    # Adam's weight decay is the gradient of the penalty, which biases and offsets do not have.
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": 2 * penalty},
        {"params": others},
    ]
    return torch.optim.Adam(groups, fused=True, eps=eps)
