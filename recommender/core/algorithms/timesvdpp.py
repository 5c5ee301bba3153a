"""timeSVD++ (Koren, KDD 2009): offsets and vectors that change with the date of a rating."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.algorithms.svdpp import SVDpp
from recommender.core.compiling import kernel
from recommender.core.configs.factors import TimeSVDppConfig
from recommender.core.ratings import Ratings

DAY = 86_400
DAYS = 2**22  #: more than there are days until year 9999


@kernel
def descend_in_time(  # type: ignore[no-untyped-def]
    indptr, items, above, periods, days, moved, rate, ridge, time_ridge,
    user_offsets, item_offsets, P, Q, Y, period_offsets, day_offsets, drift_offsets, drifts,
):  # fmt: skip
    """``svd.descend`` with the terms of time, which are the last four arrays.

    ``periods``, ``days`` and ``moved`` say for each rating the item's period, the place of the
    user's day in ``day_offsets``, and how far the user has moved from the mean day.
    """
    squares = 0.0
    factors = P.shape[1]
    shrink = 1.0 - rate * ridge
    given, added = np.zeros(factors), np.zeros(factors)
    for user in range(len(indptr) - 1):
        start, stop = indptr[user], indptr[user + 1]
        root = np.sqrt(max(1, stop - start))
        kept = 1.0
        given[:] = 0.0
        added[:] = 0.0
        for place in range(start, stop):
            given += Y[items[place]]
        given /= root
        for place in range(start, stop):
            item, period, day, move = items[place], periods[place], days[place], moved[place]
            error = above[place] - user_offsets[user] - item_offsets[item]
            error -= period_offsets[item, period] + day_offsets[day] + drift_offsets[user] * move
            for k in range(factors):
                error -= Q[item, k] * (P[user, k] + given[k] + drifts[user, k] * move)
            squares += error * error
            user_offsets[user] += rate * (error - ridge * user_offsets[user])
            item_offsets[item] += rate * (error - ridge * item_offsets[item])
            by_period = period_offsets[item, period]
            period_offsets[item, period] += rate * (error - time_ridge * by_period)
            day_offsets[day] += rate * (error - time_ridge * day_offsets[day])
            drift_offsets[user] += rate * (error * move - time_ridge * drift_offsets[user])
            for k in range(factors):
                p, q, drift = P[user, k], Q[item, k], drifts[user, k]
                P[user, k] += rate * (error * q - ridge * p)
                Q[item, k] += rate * (error * (p + given[k] + drift * move) - ridge * q)
                drifts[user, k] += rate * (error * q * move - time_ridge * drift)
                step = rate * error * q / root
                given[k] = shrink * given[k] + root * step
                added[k] = shrink * added[k] + step
            kept *= shrink
        for place in range(start, stop):
            Y[items[place]] = kept * Y[items[place]] + added
    return squares


class TimeSVDpp(SVDpp):
    """SVD++ with an offset of the item in each period, and users who drift and have days.

    A user's offset and vector move along a line with ``dev(t) = sign(d) |d|^power``, where d is
    the time from the mean of the user's ratings; dev is divided by the largest that the training
    time allows. A day on which a user rated has an offset, others have none. Without times, a
    training user is taken at the mean time, and another profile without any term of time. A
    profile that was not trained on has no dates: of the terms of time it only gets the item's.
    """

    name: ClassVar[str] = "timesvdpp"
    config: TimeSVDppConfig
    span_: NDArray[np.float64]  #: (2) first and last training time, in seconds
    mean_times_: NDArray[np.float64]  #: (n_users) of each user's ratings; 0 without ratings
    user_days_: NDArray[np.int64]  #: user position times DAYS, plus day; ascending
    period_offsets_: NDArray[np.float64]  #: (n_items, periods)
    day_offsets_: NDArray[np.float64]  #: (number of user_days_)
    drift_offsets_: NDArray[np.float64]  #: (n_users) what dev moves the offset by
    drifts_: NDArray[np.float64]  #: (n_users, factors) what dev moves the vector by

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        return {
            **super()._limits(),
            "periods": (own.periods >= 1, "at least 1"),
            "power": (own.power > 0, "above 0"),
            "time_ridge": (own.time_ridge > 0, "above 0"),
        }

    def _descent(self, ratings: Ratings) -> Callable[[float], float]:
        times, rows = cast(NDArray[np.int64], ratings.timestamps), ratings.rows()
        own, n_users = self.config, ratings.n_users
        self.span_ = np.asarray([times.min(), times.max()], np.float64)
        counts = np.maximum(1, np.diff(ratings.indptr))
        # From the first time on, because sums of seconds since 1970 lose digits.
        since = np.bincount(rows, times - self.span_[0], minlength=n_users) / counts
        self.mean_times_ = self.span_[0] + since
        self.user_days_, days = np.unique(_user_days(rows, times), return_inverse=True)
        self.period_offsets_ = np.zeros((self.n_items_, own.periods))
        self.day_offsets_ = np.zeros(len(self.user_days_))
        self.drift_offsets_, self.drifts_ = np.zeros(n_users), np.zeros((n_users, own.factors))
        given = (ratings.indptr.copy(), ratings.indices.copy(), ratings.values - self.bias_.mean)
        when = (self._periods(times), days, self._moved(rows, times))
        offsets = (self.user_offsets_, self.item_offsets_)
        vectors = (self.user_factors_, self.item_factors_, self.implicit_factors_)
        moving = (self.period_offsets_, self.day_offsets_, self.drift_offsets_, self.drifts_)
        ridges = (own.ridge, own.time_ridge)
        return lambda rate: descend_in_time(
            *given, *when, rate, *ridges, *offsets, *vectors, *moving
        )

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
        if times is None and not training:
            return static
        when = self.mean_times_[rows] if times is None else times
        moving = self.period_offsets_[items, self._periods(when)]
        if training:
            moved = self._moved(rows, when)
            products = np.einsum("ij,ij->i", self.drifts_[rows], self.item_factors_[items])
            moving = moving + self._by_day(rows, when)
            moving += moved * (self.drift_offsets_[rows] + products)
        known = (np.diff(profiles.indptr)[rows] > 0) & (self.counts_[items] > 0)
        return static + np.where(known, moving, 0)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        static, counts = super()._score(profiles, users)
        if users is None:
            return static, counts
        when = self.mean_times_[users]
        moving = self.period_offsets_[:, self._periods(when)].T
        moving = moving + self._by_day(users, when)[:, None]
        known = (np.diff(profiles.indptr) > 0)[:, None] & (self.counts_ > 0)
        return static + np.where(known, moving, 0), counts

    def _periods(self, times: NDArray[np.number]) -> NDArray[np.int64]:
        """The period of each time; times outside the training ratings belong to the nearest."""
        share = (times - self.span_[0]) / max(1.0, self.span_[1] - self.span_[0])
        last = self.config.periods - 1
        return np.clip(np.floor(share * self.config.periods), 0, last).astype(np.int64)

    def _moved(self, rows: NDArray[np.int64], times: NDArray[np.number]) -> NDArray[np.float64]:
        """dev(t) of each pair of a user and a time, from -1 to 1 within the training time."""
        share = (times - self.mean_times_[rows]) / max(1.0, self.span_[1] - self.span_[0])
        return np.asarray(np.sign(share) * np.abs(share) ** self.config.power)

    def _by_day(self, rows: NDArray[np.int64], times: NDArray[np.number]) -> NDArray[np.float64]:
        """The offsets of the users' days, 0 for days without training ratings."""
        wanted = _user_days(rows, times)
        places = np.minimum(np.searchsorted(self.user_days_, wanted), len(self.user_days_) - 1)
        return np.where(self.user_days_[places] == wanted, self.day_offsets_[places], 0)

    def _learned(self) -> tuple[str, ...]:
        moving = ("period_offsets", "day_offsets", "drift_offsets", "drifts")
        return (*super()._learned(), "span", "mean_times", "user_days", *moving)


def _user_days(rows: NDArray[np.int64], times: NDArray[np.number]) -> NDArray[np.int64]:
    return rows * DAYS + np.floor(times / DAY).astype(np.int64)
