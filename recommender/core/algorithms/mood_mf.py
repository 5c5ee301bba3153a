"""Factorisation of ratings and mood similarities (Shi, Larson and Hanjalic, CAMRa 2010)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit, logit

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.by_profile import ByProfile, ProfileRatings
from recommender.core.algorithms.moods import MOODS, SimilarPairs, moods_of_items, similar_in_mood
from recommender.core.configs.side import MoodMFConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions

CLOSEST = 0.01  #: of a bias to the ends of the scale, as a share of it, so that logit is finite
MOST_NEWTON_STEPS = 30
SMALL_STEP = 1e-9


@dataclass(frozen=True, eq=False)
class JointLoss:
    """``1/2 sum (r - s(o + U[u] V[i]))^2 + weight/2 sum (S[i, j] - s(V[i] V[j]))^2`` and a penalty.

    The first sum is over the ratings of a CSR matrix (n_users, n_items) of values r from 0 to 1,
    with the offsets o (n_ratings) in the same order, the second over similar pairs; s is the
    logistic function. The penalty is ``penalty/2 (||U||^2 + ||V||^2)``.
    """

    ratings: csr_array
    offsets: NDArray[np.float64]
    pairs: SimilarPairs
    weight: float
    penalty: float

    def slopes(
        self, users: NDArray[np.float64], items: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        """The loss of U (n_users, f) and V (n_items, f), and its derivatives by U and by V."""
        given, (left, right, wanted) = self.ratings, self.pairs
        rows = np.repeat(np.arange(given.shape[0]), np.diff(given.indptr))
        made = expit(self.offsets + np.einsum("nf,nf->n", users[rows], items[given.indices]))
        errors = made - given.data
        parts = (errors * made * (1 - made), given.indices, given.indptr)
        of_ratings = csr_array(parts, shape=given.shape)
        near = expit(np.einsum("nf,nf->n", items[left], items[right]))
        misses = near - wanted
        slopes = self.weight * misses * near * (1 - near)
        of_pairs = csr_array((slopes, (left, right)), shape=(len(items), len(items)))
        loss = (errors @ errors + self.weight * (misses @ misses)) / 2
        loss += self.penalty / 2 * (np.sum(users**2) + np.sum(items**2))
        by_users = of_ratings @ items + self.penalty * users
        by_items = of_ratings.T @ users + of_pairs @ items + of_pairs.T @ items
        return float(loss), by_users, by_items + self.penalty * items


class MoodMF(ByProfile):
    """Predicts s(o + U[u] V[i]), stretched to the scale; o is the logit of the damped bias.

    Only V is kept. The vector of a profile is the one that minimises the loss of its ratings, so
    that training users, unseen users and edited profiles are treated alike.
    """

    name: ClassVar[str] = "mood-mf"
    config: MoodMFConfig
    factors_: NDArray[np.float64]  #: V (n_items, factors)

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        at_least = ("factors", "steps", "neighbours")
        return {
            **{name: (getattr(own, name) >= 1, "at least 1") for name in at_least},
            "penalty": (own.penalty > 0, "above 0"),
            "mood": (not own.mood or own.mood in MOODS, f"empty or one of {', '.join(MOODS)}"),
            "mood_weight": (own.mood_weight >= 0, "0 or more"),
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        genome = own.source == "genome"
        moods = moods_of_items(ratings.labels[own.source], self.n_items_, relevances=genome)
        rows, items = ratings.rows(), ratings.indices.astype(np.int64)
        parts = (self._share(ratings.values), self.profiles_.indices, self.profiles_.indptr)
        loss = JointLoss(
            csr_array(parts, shape=self.profiles_.shape),
            self._offsets(self.bias_.predict(self.profiles_, rows, items)),
            similar_in_mood(moods, own.mood, own.neighbours),
            own.mood_weight,
            own.penalty,
        )
        self.factors_ = self._minimise(loss, options)

    def _minimise(self, loss: JointLoss, options: RunOptions) -> NDArray[np.float64]:
        """V after at most ``steps`` steps of L-BFGS from small random vectors."""
        own, (n_users, n_items) = self.config, loss.ratings.shape
        rng, steps = np.random.default_rng(options.seed), self._passes(options, own.steps)
        next(steps)

        def value_and_slope(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            vectors = flat.reshape(-1, own.factors)  # (n_users + n_items, f)
            value, *slopes = loss.slopes(vectors[:n_users], vectors[n_users:])
            return value, np.concatenate(slopes).ravel()

        def go_on(flat: NDArray[np.float64]) -> None:
            next(steps)  # its StopIteration, after the last step or the time limit, ends the search

        start = rng.normal(scale=0.1, size=(n_users + n_items) * own.factors)
        best = minimize(
            value_and_slope,
            start,
            jac=True,
            method="L-BFGS-B",
            callback=go_on,
            options={"maxiter": own.steps, "maxfun": 2 * own.steps + 20},
        )
        return np.ascontiguousarray(best.x.reshape(-1, own.factors)[n_users:])

    def _share(self, stars: NDArray[np.floating]) -> NDArray[np.float64]:
        """Ratings as shares of the scale, from 0 to 1."""
        span = self.scale_.maximum - self.scale_.minimum
        return (stars.astype(np.float64) - self.scale_.minimum) / (span or 1.0)

    def _offsets(self, bias: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.config.offset == "nothing":
            return np.zeros(len(bias))
        return np.asarray(logit(np.clip(self._share(bias), CLOSEST, 1 - CLOSEST)))

    def _vector(
        self, items: NDArray[np.float64], offsets: NDArray[np.float64], shares: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The best vector (f) of a profile of n ratings with item vectors (n, f).

        Gauss-Newton steps from zero, halved until the loss falls.
        """
        penalty, vector = self.config.penalty, np.zeros(items.shape[1])

        def loss(tried: NDArray[np.float64]) -> float:
            errors = expit(offsets + items @ tried) - shares
            return float(errors @ errors + penalty * (tried @ tried))

        now = loss(vector)
        for _ in range(MOST_NEWTON_STEPS):
            made = expit(offsets + items @ vector)
            slopes = (made * (1 - made))[:, None] * items
            slope = slopes.T @ (made - shares) + penalty * vector
            normal = slopes.T @ slopes + penalty * np.eye(len(vector))
            step = np.linalg.solve(normal, slope)
            while (after := loss(vector - step)) > now and np.abs(step).max() > SMALL_STEP:
                step /= 2
            if after > now or np.abs(step).max() <= SMALL_STEP:
                break
            vector, now = vector - step, after
        return vector

    def _rate(self, profile: ProfileRatings, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        offsets = self._offsets(self.bias_.item_means() + profile.offset)
        shares = self._share(profile.stars)
        vector = self._vector(self.factors_[profile.items], offsets[profile.items], shares)
        made = expit(offsets[wanted] + self.factors_[wanted] @ vector)
        low = self.scale_.minimum
        return np.asarray(low + (self.scale_.maximum - low) * made)

    def _arrays(self) -> dict[str, NDArray]:
        return {**super()._arrays(), "mood.factors": self.factors_}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        super()._restore(arrays)
        self.factors_ = arrays["mood.factors"]
