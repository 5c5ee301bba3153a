"""A Bayesian factorisation machine by Gibbs sampling (Rendle, Zhang and Koren, 2019)."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from recommender.core.algorithms.bayes_fm.gibbs import Group, Mode
from recommender.core.algorithms.factors import FactorModel
from recommender.core.algorithms.svd import implicit_parts
from recommender.core.configs.factors import BayesFMConfig
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions

DAY = 86_400
MOMENTS = 2**34  #: more than there are seconds in five hundred years


class BayesFM(FactorModel):
    """The mean prediction of many draws of a factorisation machine's parameters.

    A rating is the mean, plus the offsets of user, item and (with dates) day, plus the products of
    each two of their vectors. The user's vector includes a part for each rated item, and the
    item's one for each rater, each sum divided by the root of their number; so do the offsets.
    With dates, an item also has an offset in each period. A user has one in each of their sittings:
    time is cut into parts of a second, of some minutes, of an hour and of a day, because ratings
    that a user gives together err together. The values of a kind are normal, with a precision and
    a mean that are drawn, too, as is the noise.

    The mean over draws of a product of vectors is the product of the vectors of all draws put in a
    row. So the model is a ``FactorModel`` with that many factors. A profile that was not trained
    on gets, for each draw, the expected offset and vector given the items. ``train_rmse_`` is the
    error of the last draw.
    """

    name: ClassVar[str] = "bayes-fm"
    pairs_at_once = 10_000  #: whose vectors of all draws take about 100 MB with the default preset
    config: BayesFMConfig
    user_offsets_: NDArray[np.float64]  #: (n_users)
    user_factors_: NDArray[np.float32]  #: (n_users, kept draws times factors)
    implicit_offsets_: NDArray[np.float64]  #: (n_items) of rated items
    implicit_factors_: NDArray[np.float32]  #: (n_items, kept draws times factors)
    priors_: NDArray[np.float64]  #: (2, kept, 1 + factors) precision over alpha, mean, of users
    days_: NDArray[np.int64]  #: ascending; with training ratings; none without dates
    day_offsets_: NDArray[np.float64]  #: (n_days + 1); the last one is for unknown days
    day_factors_: NDArray[np.float32]  #: (n_days + 1, kept draws times factors)
    sittings_: NDArray[np.int64]  #: see ``_sitting``; ascending; with training ratings
    sitting_offsets_: NDArray[np.float64]  #: (number of sittings_)
    span_: NDArray[np.int64]  #: (2) first and last training time
    period_offsets_: NDArray[np.float64]  #: (n_items, periods)

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        counted = ("factors", "draws", "keep_every", "periods")
        return {
            **{field: (getattr(own, field) >= 1, "at least 1") for field in counted},
            "burn_in": (0 <= own.burn_in < own.draws, "from 0 to one less than draws"),
            "spread": (own.spread > 0, "above 0"),
            "sittings": (min(own.sittings, default=1) >= 1, "whole seconds"),
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self._learn_bias()
        rng = np.random.default_rng(options.seed)
        modes, extra = self._modes(ratings, rng)
        errors, ones = ratings.values.astype(np.float64), np.ones(ratings.n_ratings)
        errors -= self.bias_.mean
        for column in range(1, own.factors + 1):
            errors -= _pairs([mode.totals[column][mode.entities] for mode in modes])
        kept: list[list[NDArray]] = []
        for done in self._passes(options, own.draws):
            alpha = rng.gamma((len(errors) + 1) / 2) / ((float(errors @ errors) + 1) / 2)
            for mode in (*modes, *extra):
                mode.draw(0, ones, errors, alpha, rng)
            for column in range(1, own.factors + 1):
                sides = [mode.totals[column][mode.entities] for mode in modes]
                for place, mode in enumerate(modes):
                    others = cast(NDArray[np.float64], sum(sides[:place] + sides[place + 1 :]))
                    mode.draw(column, others, errors, alpha, rng)
                    sides[place] = mode.totals[column][mode.entities]
            self._record(float(errors @ errors))
            if done == own.burn_in:
                kept.clear()  # of the first draw, which is for a training that ends early
            if not kept or (done > own.burn_in and (done - own.burn_in) % own.keep_every == 0):
                users, totals = modes[0].groups, [mode.totals.copy() for mode in (*modes, *extra)]
                prior = np.stack([users[0].precisions / alpha, users[0].means])
                kept.append([*totals, users[1].values.copy(), prior])
        self._keep(ratings, kept)

    def _modes(self, ratings: Ratings, rng: np.random.Generator) -> tuple[list[Mode], list[Mode]]:
        """Users, items and days, whose vectors are multiplied; and what only has offsets."""
        own, rows, items = self.config, ratings.rows(), ratings.indices.astype(np.int64)
        n_users, n_items = self.profiles_.shape
        columns = 1 + own.factors

        def mode(entities: NDArray[np.int64], size: int, rated: csr_array | None = None) -> Mode:
            values = rng.normal(scale=own.spread, size=(columns, size))
            values[0] = 0
            groups = [Group(eye_array(size, format="csr"), values, centred=False)]
            if rated is not None:
                counts = np.diff(rated.indptr)
                weights = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
                parts = csr_array((weights, rated.indices, rated.indptr), shape=rated.shape)
                groups.append(Group(parts, np.zeros((columns, rated.shape[1])), centred=False))
            return Mode(entities, groups, values.copy())

        def offsets(entities: NDArray[np.int64], size: int) -> Mode:
            zeros = np.zeros((1, size))
            return Mode(entities, [Group(eye_array(size, format="csr"), zeros, True)], zeros.copy())

        modes = [mode(rows, n_users, self.profiles_)]
        modes.append(mode(items, n_items, self.profiles_.T.tocsr()))
        self.days_ = self.sittings_ = np.empty(0, np.int64)
        self.span_ = np.zeros(2, np.int64)
        if not own.dates:
            return modes, []
        times = cast(NDArray[np.int64], ratings.timestamps)
        self.span_ = np.asarray([times.min(), times.max()])
        self.days_, days = np.unique(times // DAY, return_inverse=True)
        modes.append(mode(days, len(self.days_)))
        extra = [offsets(items * own.periods + self._periods(times), n_items * own.periods)]
        for number in range(len(own.sittings)):
            keys, places = np.unique(self._sitting(rows, times, number), return_inverse=True)
            self.sittings_ = np.append(self.sittings_, keys)
            extra.append(offsets(places, len(keys)))
        return modes, extra

    def _keep(self, ratings: Ratings, kept: list[list[NDArray]]) -> None:
        """Set what is learned from the kept draws of ``_fit``."""
        user, item, *dated, implicit, priors = (
            np.stack(draws) for draws in zip(*kept, strict=True)
        )
        self.user_offsets_, self.user_factors_ = _in_a_row(user)
        self.item_offsets_, factors = _in_a_row(item)
        self.item_factors_ = (factors / np.float32(len(kept))).astype(np.float32)
        self.implicit_offsets_, self.implicit_factors_ = _in_a_row(implicit)
        self.priors_ = np.moveaxis(priors, 0, 1).copy()
        empty = np.zeros((1, self.user_factors_.shape[1]), np.float32)
        self.day_offsets_, self.day_factors_ = np.zeros(1), empty
        self.sitting_offsets_, self.period_offsets_ = np.zeros(0), np.zeros((0, 0))
        if dated:
            day, period, *sittings = dated
            times = cast(NDArray[np.int64], ratings.timestamps)
            weights = np.bincount(np.searchsorted(self.days_, times // DAY)) / len(times)
            offsets, vectors = _in_a_row(day)
            self.day_offsets_ = np.append(offsets, weights @ offsets)
            self.day_factors_ = np.vstack([vectors, (weights @ vectors).astype(np.float32)])
            order = np.argsort(self.sittings_)
            offsets = np.concatenate([np.empty(0), *(draws.mean(axis=0)[0] for draws in sittings)])
            self.sittings_, self.sitting_offsets_ = self.sittings_[order], offsets[order]
            self.period_offsets_ = period.mean(axis=0).reshape(self.n_items_, -1)

    def _users(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """On an unknown day."""
        if users is None:
            offsets, vectors = self._folded_in(profiles)
        else:
            offsets = self.user_offsets_[users]
            vectors = self.user_factors_[users].astype(np.float64)
        day, kept = self.day_factors_[-1].astype(np.float64), self.priors_.shape[1]
        # One sum for each profile, so that it does not depend on the others.
        by_day = np.einsum("ij,j->i", vectors, day) / kept
        return offsets + by_day + self.day_offsets_[-1], vectors + day

    def _folded_in(self, profiles: csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        _, kept, columns = self.priors_.shape
        precisions, means = self.priors_
        given = implicit_parts(profiles, self.implicit_factors_.astype(np.float64))
        given_offsets = implicit_parts(profiles, self.implicit_offsets_[:, None])[:, 0]
        day = self.day_factors_[-1].astype(np.float64).reshape(kept, -1)
        found = np.zeros((profiles.shape[0], kept, columns))
        for row in np.flatnonzero(np.diff(profiles.indptr)):
            part = slice(profiles.indptr[row], profiles.indptr[row + 1])
            rated = profiles.indices[part]
            vectors = kept * self.item_factors_[rated].astype(np.float64)
            vectors = vectors.reshape(len(rated), kept, -1).swapaxes(0, 1)  # (kept, n, factors)
            left = profiles.data[part] - self.bias_.mean - self.item_offsets_[rated]
            left = left - given_offsets[row] - self.day_offsets_[-1]
            own = given[row].reshape(kept, -1)
            left = left - np.einsum("snf,sf->sn", vectors, own + day)
            left -= np.einsum("sf,sf->s", own, day)[:, None]
            design = np.concatenate(
                [np.ones((kept, len(rated), 1)), vectors + day[:, None]], axis=2
            )
            normal = design.swapaxes(1, 2) @ design + precisions[:, :, None] * np.eye(columns)
            right = np.einsum("snf,sn->sf", design, left) + precisions * means
            found[row] = np.linalg.solve(normal, right[:, :, None])[:, :, 0]
        folded = found[:, :, 1:].reshape(len(found), -1)
        return found[:, :, 0].mean(axis=1) + given_offsets, folded + given

    def _predict(
        self,
        profiles: csr_array,
        rows: NDArray[np.int64],
        items: NDArray[np.int64],
        *,
        training: bool,
        times: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        static = super()._predict(profiles, rows, items, training=training)
        if times is None or not self.config.dates:
            return static
        days = _place(self.days_, times // DAY)
        asked, places = np.unique(rows, return_inverse=True)
        vectors = self._users(profiles[asked], asked if training else None)[1]
        kept, unknown = self.priors_.shape[1], self.day_factors_[-1].astype(np.float64)
        change = self.day_factors_[days] - unknown
        both = (vectors - unknown)[places] / kept + self.item_factors_[items]
        moving = self.day_offsets_[days] - self.day_offsets_[-1]
        moving += np.einsum("ij,ij->i", change, both)
        moving += self.period_offsets_[items, self._periods(times)]
        if training:
            offsets = np.append(self.sitting_offsets_, 0)
            for number in range(len(self.config.sittings)):
                moving += offsets[_place(self.sittings_, self._sitting(rows, times, number))]
        known = (np.diff(profiles.indptr)[rows] > 0) & (self.counts_[items] > 0)
        return static + np.where(known, moving, 0)

    def _periods(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        """The period of each time; times outside the training ratings belong to the nearest."""
        share = (times - self.span_[0]) / max(1.0, self.span_[1] - self.span_[0])
        last = self.config.periods - 1
        return np.clip(np.floor(share * self.config.periods), 0, last).astype(np.int64)

    def _sitting(
        self, rows: NDArray[np.int64], times: NDArray[np.int64], number: int
    ) -> NDArray[np.int64]:
        """A number for each user, width of ``config.sittings`` and part of time of that width.

        -1 for times before the first training rating.
        """
        part = (times - self.span_[0]) // self.config.sittings[number]
        kind = rows * len(self.config.sittings) + number
        return np.where(part < 0, -1, kind * MOMENTS + part)

    def _learned(self) -> tuple[str, ...]:
        static = ("user_offsets", "user_factors", "implicit_offsets", "implicit_factors", "priors")
        dated = ("days", "day_offsets", "day_factors", "sittings", "sitting_offsets")
        return (*static, *dated, "span", "period_offsets")


def _pairs(sides: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The sum of the products of each two."""
    total = np.sum(sides, axis=0)
    return np.asarray((total**2 - np.sum(np.square(sides), axis=0)) / 2)


def _in_a_row(draws: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Mean offsets (n), and vectors (n, draws * factors), of draws (draws, 1 + factors, n)."""
    vectors = draws[:, 1:].reshape(-1, draws.shape[2]).T
    return draws[:, 0].mean(axis=0), np.ascontiguousarray(vectors, np.float32)


def _place(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions in ``known`` (ascending); its length for what is not there."""
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[places] == wanted, places, len(known))
