"""MudRecS-style content-based predictions: our reconstruction of Qumsiyeh and Ng (SIGIR 2012)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.by_profile import ByProfile, ProfileRatings
from recommender.core.configs.side import MudRecSConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.metrics import rmse
from recommender.core.ratings import Ratings
from recommender.core.runs import Progress, RunOptions

CELLS = 2_000_000  #: similarities computed at once
SETS = ("genres", "people")  #: compared by their Jaccard index
WORDS = ("keywords", "tags")  #: compared by the cosine of their tf-idf
DECIMALS = 9  #: of a predicted rating; a smaller difference comes from the order of a sum


class MudRecS(ByProfile):
    """Predicts from the stars that the user gave to items of similar content.

    With ``estimate="content"`` nothing but the mean of all ratings comes from other users, and
    ties are broken by the seeded hash alone. With "regression" item means and numbers of ratings
    count too.
    """

    name: ClassVar[str] = "mudrecs"
    config: MudRecSConfig
    content_: list[csr_array]  #: of genres, people and words (n_items, n_labels), perhaps empty
    weights_: NDArray[np.float64]  #: the regression's constant and six weights; empty without it

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        at_least = {"neighbours": 1, "most_examples": 1, "user_damping": 0, "item_damping": 0}
        above = ("power", "shrinkage", "ridge")
        return {
            **{n: (getattr(own, n) >= least, f"at least {least}") for n, least in at_least.items()},
            **{name: (getattr(own, name) > 0, "above 0") for name in above},
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig(own.user_damping, own.item_damping))
        self.content_ = [
            *(_present(_counted(ratings, kind)) for kind in SETS),
            _tf_idf(hstack([_counted(ratings, kind) for kind in WORDS], format="csr")),
        ]
        self.weights_ = np.empty(0)
        examples = list(self._examples(options))
        stars = np.concatenate([given for _, given in examples])
        columns = np.concatenate([found for found, _ in examples], axis=1)
        if own.estimate == "regression":
            self.weights_ = _ridge(columns, stars, own.ridge)
        self.train_rmse_ = rmse(stars, self.scale_.clip(self._combined(columns)))

    def _examples(
        self, options: RunOptions
    ) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """The columns and stars (n) of profiles, each rating predicted without itself.

        The columns (4 or 6, n) are the estimates, the user's mean, the item's mean and the
        logarithm of 1 plus the item's number of ratings.
        """
        own, matrix, means = self.config, self.profiles_, self.bias_
        rated = np.flatnonzero(np.diff(matrix.indptr))
        seen, most = 0, min(own.most_examples, len(matrix.data))
        for row in np.random.default_rng(options.seed).permutation(rated):
            if seen >= most:
                break
            options.progress(Progress("training", seen, most))
            part = slice(matrix.indptr[row], matrix.indptr[row + 1])
            items, stars = matrix.indices[part], matrix.data[part].astype(np.float64)
            base = self._user_means(stars.sum() - stars, len(stars) - 1)
            estimates = self._estimates(items, stars, items, base, without_itself=True)
            # An item's mean of n ratings, without one of them.
            counts = self.counts_[items]
            sums = means.item_offsets[items] * (counts + own.item_damping) - (stars - means.mean)
            rest = np.maximum(counts - 1 + own.item_damping, np.finfo(float).tiny)
            item_means = means.mean + np.where(counts - 1 + own.item_damping > 0, sums / rest, 0)
            yield np.vstack([estimates, base, item_means, np.log1p(counts - 1)]), stars
            seen += len(stars)

    def _user_means(self, sums: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Damped means of ``count`` stars with these sums."""
        damping, mean = self.config.user_damping, self.bias_.mean
        return (sums + damping * mean) / (count + damping) if count + damping else 0 * sums + mean

    def _estimates(
        self,
        items: NDArray[np.integer],
        stars: NDArray[np.float64],
        wanted: NDArray[np.integer],
        base: NDArray[np.float64],
        *,
        without_itself: bool,
    ) -> NDArray[np.float64]:
        """Estimates (1, n_wanted) by all content together; for the regression (3, n_wanted), by
        genres, by people and by words.

        ``base`` (n_wanted) is the user's mean, from which similar items move an estimate.
        """
        together = self.config.estimate == "content"
        found = np.empty((1 if together else 3, len(wanted)))
        for start in range(0, len(wanted), block := max(1, CELLS // len(items))):
            part = slice(start, start + block)
            near = [_jaccard(matrix, wanted[part], items) for matrix in self.content_[:2]]
            near.append((self.content_[2][wanted[part]] @ self.content_[2][items].T).toarray())
            if together:
                near = [_certainty(near)]
            for place, similarity in enumerate(near):
                if without_itself:
                    similarity[wanted[part, None] == items] = 0
                found[place, part] = self._estimate(similarity, stars, base[part])
        return found

    def _estimate(
        self, similarity: NDArray[np.float64], stars: NDArray[np.float64], base: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """``base + sum w (stars - base) / (sum w + shrinkage)``, w = similarity^power, (n_wanted).

        ``similarity`` is (n_wanted, n_items); the largest ``neighbours`` of a row count.
        """
        own, last = self.config, similarity.shape[1] - self.config.neighbours
        if last > 0:
            least = np.partition(similarity, last, axis=1)[:, last]
            similarity[similarity < least[:, None]] = 0
        weights = similarity**own.power
        total = weights.sum(axis=1)
        return np.asarray(base + (weights @ stars - base * total) / (total + own.shrinkage))

    def _combined(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predictions (n) from the columns of ``_examples``."""
        if not len(self.weights_):
            return np.asarray(columns[0])
        return np.asarray(self.weights_[0] + self.weights_[1:] @ columns)

    def _own_items(self) -> NDArray[np.bool_]:
        """Those of any content; without it an item gets the user's mean."""
        described = np.sum([np.diff(matrix.indptr) for matrix in self.content_], axis=0) > 0
        return np.asarray(described)

    def _rate(self, profile: ProfileRatings, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        items, stars = profile.items, profile.stars
        base = np.repeat(self._user_means(np.array([stars.sum()]), len(stars)), len(wanted))
        estimates = self._estimates(items, stars, wanted, base, without_itself=False)
        rest = (base, self.bias_.item_means()[wanted], np.log1p(self.counts_[wanted]))
        return np.round(self._combined(np.vstack([estimates, *rest])), DECIMALS)

    def _rate_without_profile(self, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.config.estimate == "regression":
            return super()._rate_without_profile(wanted)
        return np.full(len(wanted), self.bias_.mean)

    def _score(
        self, profiles: csr_array, users: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float64], ...]:
        keys = super()._score(profiles, users)
        return keys if self.config.estimate == "regression" else keys[:1]

    def _arrays(self) -> dict[str, NDArray]:
        arrays = {**super()._arrays(), "mudrecs.weights": self.weights_}
        for name, matrix in zip(("genres", "people", "words"), self.content_, strict=True):
            arrays[f"mudrecs.{name}.indptr"] = np.asarray(matrix.indptr, np.int64)
            arrays[f"mudrecs.{name}.labels"] = np.asarray(matrix.indices, np.int32)
            arrays[f"mudrecs.{name}.values"] = matrix.data
            arrays[f"mudrecs.{name}.count"] = np.array([matrix.shape[1]])
        return arrays

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        super()._restore(arrays)
        self.weights_, self.content_ = arrays["mudrecs.weights"], []
        for name in ("genres", "people", "words"):
            parts = tuple(
                arrays[f"mudrecs.{name}.{part}"] for part in ("values", "labels", "indptr")
            )
            shape = (self.n_items_, int(arrays[f"mudrecs.{name}.count"][0]))
            self.content_.append(csr_array(parts, shape=shape))


def _counted(ratings: Ratings, kind: str) -> csr_array:
    """How often each label of a kind was given to each item; no labels if there are none."""
    if kind not in ratings.labels:
        return csr_array((ratings.n_items, 0), dtype=np.float64)
    return ratings.labels[kind].matrix(ratings.n_items).astype(np.float64)


def _present(matrix: csr_array) -> csr_array:
    return (matrix > 0).astype(np.float64)


def _tf_idf(matrix: csr_array) -> csr_array:
    """Counts times log(items with any / items with the label), in rows of length 1."""
    with_any = max(1, np.count_nonzero(np.diff(matrix.indptr)))
    items_of = np.bincount(matrix.indices, minlength=matrix.shape[1])
    data = matrix.data * np.log(with_any / np.maximum(items_of, 1))[matrix.indices]
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    lengths = np.sqrt(np.bincount(rows, data**2, minlength=matrix.shape[0]))
    data = np.divide(data, lengths[rows], out=np.zeros(len(data)), where=lengths[rows] > 0)
    return csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def _certainty(similarities: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Similarities combined like certainty factors (Shortliffe and Buchanan, 1975): a + b - a b."""
    doubt = np.ones_like(similarities[0])
    for similarity in similarities:
        doubt *= 1 - np.minimum(similarity, 1)
    return 1 - doubt


def _jaccard(
    matrix: csr_array, left: NDArray[np.integer], right: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Shared labels / labels of either (n_left, n_right), 0 where neither has any."""
    sizes = np.diff(matrix.indptr)
    shared = (matrix[left] @ matrix[right].T).toarray()
    either = sizes[left][:, None] + sizes[right] - shared
    return np.divide(shared, either, out=np.zeros_like(shared), where=either > 0)


def _ridge(
    columns: NDArray[np.float64], stars: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """The constant and weights (1 + m) that predict ``stars`` (n) from ``columns`` (m, n).

    Columns are centred and divided by their standard deviation before the weights are penalised.
    """
    means, spreads = columns.mean(axis=1), columns.std(axis=1)
    spreads = np.where(spreads > 1e-12, spreads, 1)
    scaled = (columns - means[:, None]) / spreads[:, None]
    normal = scaled @ scaled.T + ridge * np.eye(len(columns))
    weights = np.linalg.solve(normal, scaled @ (stars - stars.mean())) / spreads
    return np.concatenate([[stars.mean() - weights @ means], weights])
