"""NPMF (Yu, Zhu, Lafferty and Gong, SIGIR 2009): factors of unlimited number, by EM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse import csr_array

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.by_profile import ByProfile, ProfileRatings
from recommender.core.configs.probabilistic import NPMFConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import FitError
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions


@dataclass(frozen=True, eq=False)
class Gaussian:
    """The distribution of a user's ratings of m items: N(mean, covariance + noise I).

    ``mean`` (m) and ``covariance`` (m, m) are those of what a user thinks of the items, ``noise``
    is the variance of a rating around it.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    noise: float

    def weigh(
        self, items: NDArray[np.integer], stars: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """G = (covariance + noise I)^-1 among n rated ``items``, and t = G (stars - mean) (n).

        The expected ratings of all items are mean + covariance[:, items] t.
        """
        within = self.covariance[np.ix_(items, items)].astype(np.float64)
        np.einsum("ii->i", within)[:] += self.noise
        factor, failed = lapack.dpotrf(within, lower=1, overwrite_a=1)
        if not failed:
            inverse, failed = lapack.dpotri(factor, lower=1, overwrite_c=1)
        if failed:
            raise FitError("The covariance of npmf cannot be inverted. Choose a larger noise.")
        inverse = np.tril(inverse) + np.tril(inverse, -1).T  # dpotri sets the lower triangle
        return inverse, inverse @ (stars - self.mean[items])

    def improved(self, profiles: csr_array) -> tuple[Gaussian, NDArray[np.float64]]:
        """One round of EM on ``profiles`` (n, m), which raises their likelihood.

        The noise stays. Also returns what each rating is predicted to be from the profile's other
        ratings (n_ratings), by the distribution before the round. No posterior covariance is
        formed: their sum follows from the sums of t and of t t^T - G over the profiles.
        """
        m = len(self.mean)
        sums, squares = np.zeros(m), np.zeros((m, m))
        others = np.empty(len(profiles.data))
        rated = np.flatnonzero(np.diff(profiles.indptr))
        for row in rated:
            own = slice(profiles.indptr[row], profiles.indptr[row + 1])
            items, stars = profiles.indices[own], profiles.data[own].astype(np.float64)
            inverse, t = self.weigh(items, stars)
            others[own] = stars - t / np.diag(inverse)
            sums[items] += t
            squares[np.ix_(items, items)] += np.outer(t, t) - inverse
        sums, squares = sums / len(rated), squares / len(rated)
        squares -= np.outer(sums, sums)  # the covariance is about the new mean
        covariance = self.covariance + self.covariance @ squares @ self.covariance
        mean = self.mean + self.covariance @ sums
        return Gaussian(mean, (covariance + covariance.T) / 2, self.noise), others


class NPMF(ByProfile):
    """Predicts the expected ratings given a profile, if all users are drawn from one Gaussian.

    Items that are not among the ``most_items`` most rated ones, and empty profiles, get the damped
    bias.
    """

    name: ClassVar[str] = "npmf"
    config: NPMFConfig
    kept_: NDArray[np.int64]  #: the items of the distribution, ascending
    gaussian_: Gaussian

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own, counts = self.config, ("rounds", "most_items", "most_ratings")
        limits = {name: (getattr(own, name) >= 1, "at least 1") for name in counts}
        return {**limits, "noise": (own.noise > 0, "above 0")}

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        order = np.argsort(-self.counts_, kind="stable")[: own.most_items]
        self._keep(np.sort(order[self.counts_[order] > 0]).astype(np.int64))
        profiles = self._sampled(self.profiles_)
        mean = self.bias_.item_means()[self.kept_]
        variance = float(np.var(profiles.data - mean[profiles.indices])) or 1.0
        model = Gaussian(mean, variance * np.eye(len(mean)), own.noise)
        for done in self._passes(options, own.rounds):
            model, others = model.improved(profiles)
            self.train_rmse_ = rmse(profiles.data, self.scale_.clip(others))
            self.loss_curve_.append(((done + 1) * len(others), self.train_rmse_))
        # Stored in single precision, and used like that at once, so that reloading changes nothing.
        self.gaussian_ = Gaussian(model.mean, model.covariance.astype(np.float32), own.noise)

    def _keep(self, items: NDArray[np.int64]) -> None:
        self.kept_ = items
        self._places = np.full(self.n_items_, -1)
        self._places[items] = np.arange(len(items))

    def _sampled(self, profiles: csr_array) -> csr_array:
        """The profiles over the kept items, none longer than ``most_ratings``.

        The sample of a profile depends on its length alone, so that it is always the same.
        """
        kept, most = profiles[:, self.kept_], self.config.most_ratings
        kept.sort_indices()
        chosen = np.ones(len(kept.data), bool)
        for row in np.flatnonzero(np.diff(kept.indptr) > most):
            start, stop = kept.indptr[row : row + 2]
            rng = np.random.default_rng([self.seed_, stop - start])
            chosen[start + rng.permutation(stop - start)[most:]] = False
        kept.data[~chosen] = 0
        kept.eliminate_zeros()
        return kept

    def _own_items(self) -> NDArray[np.bool_]:
        return np.asarray(self._places >= 0)

    def _rate(self, profile: ProfileRatings, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        found = self.bias_.item_means()[wanted] + profile.offset
        whole = csr_array(
            (profile.stars, profile.items, [0, len(profile.items)]), shape=(1, self.n_items_)
        )
        read = self._sampled(whole)
        if len(read.data):
            _, t = self.gaussian_.weigh(read.indices, read.data)
            asked = self._places[wanted]
            here = asked >= 0
            near = self.gaussian_.covariance[np.ix_(asked[here], read.indices)]
            found[here] = self.gaussian_.mean[asked[here]] + near @ t
        return found

    def _arrays(self) -> dict[str, NDArray]:
        return {
            **super()._arrays(),
            "npmf.items": self.kept_,
            "npmf.mean": self.gaussian_.mean,
            "npmf.covariance": self.gaussian_.covariance,
        }

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        super()._restore(arrays)
        self._keep(arrays["npmf.items"])
        self.gaussian_ = Gaussian(arrays["npmf.mean"], arrays["npmf.covariance"], self.config.noise)
