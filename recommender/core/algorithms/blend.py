"""A linear blend of other systems (Bell, Koren and Volinsky, 2007; Jahrer et al., KDD 2010)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.base import Recommender, implementation
from recommender.core.configs.blend import BlendConfig
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions
from recommender.core.splitting import newest_slice
from recommender.core.systems import member_config

STEPS = 1000  #: of each member's training, in the progress of the blend


class Blend(Recommender):
    """The sum of the members' predictions times weights that add up to one.

    The members are trained twice: without a slice of the ratings, to learn the weights from their
    predictions for it, and then on all ratings. Because all members predict the damped bias for
    an empty profile and for an item without ratings, so does the blend. Tie breaks: number of
    ratings of the item, then the seeded hash. ``train_rmse_`` is None.
    """

    name: ClassVar[str] = "blend"
    config: BlendConfig
    weights_: NDArray[np.float64]  #: (n_members), in the order of the configuration
    members_: list[Recommender]

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        return {
            "members": (len(own.members) >= 1, "at least one system:preset"),
            "validation_share": (0 < own.validation_share < 1, "above 0 and below 1"),
            "ridge": (own.ridge > 0, "above 0"),
        }

    def check(self) -> None:
        super().check()
        for label, member in zip(self.config.members, self._untrained(), strict=True):
            if not member.ranks_by_rating:
                raise ConfigurationError(
                    f"The member {label} of the blend predicts no ratings. Choose another system."
                )

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        held = self._slice(ratings, options.seed)
        rows, items = ratings.rows()[held], ratings.indices[held].astype(np.int64)
        times = None if ratings.timestamps is None else ratings.timestamps[held]
        judged = self._train(self._untrained(), ratings.select(~held), options, 0)
        half = Progress("training", len(judged) * STEPS, 2 * len(judged) * STEPS)
        columns = []
        for member in judged:
            found, size = [], member.pairs_at_once
            for part in (slice(start, start + size) for start in range(0, len(rows), size)):
                options.progress(half)
                when = None if times is None else times[part]
                pairs = rows[part], items[part]
                found.append(member._predict(member.profiles_, *pairs, training=True, times=when))
            columns.append(np.concatenate(found))
        self.weights_ = blend_weights(np.column_stack(columns), ratings.values[held], own.ridge)
        self._join(self._train(self._untrained(), ratings, options, 1))

    def _join(self, members: list[Recommender]) -> None:
        self.members_ = members
        self.pairs_at_once = min(member.pairs_at_once for member in members)

    def to(self, device: str) -> Self:
        for member in self.members_:
            member.to(device)
        return self

    def _untrained(self) -> list[Recommender]:
        chosen = []
        for member in self.config.members:
            config = member_config(member)
            chosen.append(implementation(member.partition(":")[0], config)(config))
        return chosen

    def _slice(self, ratings: Ratings, seed: int) -> NDArray[np.bool_]:
        share = self.config.validation_share
        if self.config.validation == "newest":
            return newest_slice(ratings, share, seed)
        return newest_slice(replace(ratings, timestamps=None), share, seed)

    def _train(
        self, members: list[Recommender], ratings: Ratings, options: RunOptions, half: int
    ) -> list[Recommender]:
        """Fit the members; this is the first (0) or second (1) half of the training."""
        total = 2 * len(members) * STEPS
        deadline = None
        if options.max_seconds is not None:
            # Half of the time for each half, and in it the rest in equal parts.
            deadline = time.monotonic() + options.max_seconds / 2
        for number, member in enumerate(members):
            before = (half * len(members) + number) * STEPS

            def report(progress: Progress, before: int = before) -> None:
                done = before + int((progress.share or 0) * STEPS)
                options.progress(Progress("training", done, total, loss=progress.loss))

            seconds = None
            if deadline is not None:
                seconds = max(0.0, deadline - time.monotonic()) / (len(members) - number)
            own = replace(options, progress=report, checkpoint=None, max_seconds=seconds)
            member.fit(ratings, options=own)
            self.finished_ &= member.finished_
        return members

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        total = np.zeros(len(rows))
        for weight, member in zip(self.weights_, self.members_, strict=True):
            total += weight * member._predict(profiles, rows, items, training=training, times=times)
        return total

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        total = np.zeros((profiles.shape[0], self.n_items_))
        for weight, member in zip(self.weights_, self.members_, strict=True):
            total += weight * member._score(profiles, users)[0]
        return total, self.counts_.astype(np.float64)

    def _arrays(self) -> dict[str, NDArray]:
        arrays = {"blend.weights": self.weights_}
        for number, member in enumerate(self.members_):
            for name, array in member.to_arrays().items():
                if not name.startswith("profiles."):  # those of the blend
                    arrays[f"member{number}.{name}"] = array
        return arrays

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        self.weights_ = arrays["blend.weights"]
        shared = {name: arrays[name] for name in arrays if name.startswith("profiles.")}
        members: list[Recommender] = []
        for number, member in enumerate(self._untrained()):
            prefix = f"member{number}."
            own = {
                name.removeprefix(prefix): array
                for name, array in arrays.items()
                if name.startswith(prefix)
            }
            members.append(type(member).from_arrays(member.config, {**shared, **own}))
        self._join(members)


def blend_weights(
    predicted: NDArray[np.float64], ratings: NDArray[np.floating], ridge: float
) -> NDArray[np.float64]:
    """Weights w (m) that add up to one and minimise |ratings - predicted w|^2 + ridge |w - 1/m|^2.

    ``predicted`` (n, m) are the members' predictions of the ``ratings`` (n). Since the weights add
    up to one, a shift of all ratings and predictions leaves them as they are.
    """
    n_members = predicted.shape[1]
    equal = np.full(n_members, 1 / n_members)
    errors = predicted - ratings[:, None]  # their weighted sum is the error of the blend
    normal = errors.T @ errors + ridge * np.eye(n_members)
    system = np.block(
        [[normal, np.ones((n_members, 1))], [np.ones((1, n_members)), np.zeros((1, 1))]]
    )
    return np.linalg.solve(system, np.append(ridge * equal, 1.0))[:n_members]
