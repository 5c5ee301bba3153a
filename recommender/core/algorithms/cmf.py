"""CMF (Singh and Gordon, KDD 2008): ratings and labels of items are factorised together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, logit

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.by_profile import ByProfile, ProfileRatings
from recommender.core.configs.side import CMFConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.labels import KINDS, ItemLabels
from recommender.core.ratings import Ratings
from recommender.core.runs import RunOptions

Link = Literal["gaussian", "logistic"]
#: the largest second derivative of each link's loss, which Newton's step uses for every cell
CURVATURE: dict[Link, float] = {"gaussian": 1.0, "logistic": 0.25}
APPLIES = 0.5  #: the least relevance in the genome of a label that applies; others weigh 1 or more


@dataclass(frozen=True, eq=False)
class Relation:
    """Which items have which labels of one kind, modelled by ``f(V Z^T + centre)``.

    ``matrix`` (n_items, n_labels) is 1 where a label applies. ``known`` (n_items) are the items
    with a label of this kind; nothing is said of the others. ``centre`` (n_labels) is f^-1 of the
    share of known items with each label.
    """

    matrix: csr_array
    known: NDArray[np.bool_]
    centre: NDArray[np.float64]
    link: Link

    @classmethod
    def read(cls, labels: ItemLabels, n_items: int, least_items: int, link: Link) -> Relation:
        """Leaves out the labels of fewer than ``least_items`` items, and those of all items."""
        matrix = labels.matrix(n_items)
        matrix.data = (matrix.data >= APPLIES).astype(np.float64)
        matrix.eliminate_zeros()
        known = np.diff(matrix.indptr) > 0
        counts = np.bincount(matrix.indices, minlength=matrix.shape[1])
        kept = np.flatnonzero((counts >= least_items) & (counts < known.sum()))
        share = counts[kept] / max(1, known.sum())
        centre = share if link == "gaussian" else logit(share)
        return cls(matrix[:, kept].astype(np.float64), known, centre, link)

    def pull_items(
        self, items: NDArray[np.float64], labels: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """D Z (n_items, factors), where D Z^T is the target of a least squares step.

        For Gaussian labels D is the matrix minus the centre. For logistic ones it is what the
        current V Z^T would have to be if the loss had its largest curvature everywhere: a step
        towards it never raises the loss (Böhning and Lindsay, 1988).
        """
        if self.link == "gaussian":
            pull = self.matrix @ labels - self.centre @ labels
        else:
            pull = self._target(items, labels) @ labels
        return CURVATURE[self.link] * np.where(self.known[:, None], pull, 0)

    def pull_labels(
        self, items: NDArray[np.float64], labels: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """D^T V (n_labels, factors) over the known items, with D as in ``pull_items``."""
        own = items[self.known]
        if self.link == "gaussian":
            pull = self.matrix.T @ items - np.outer(self.centre, own.sum(axis=0))
        else:
            pull = self._target(items, labels)[self.known].T @ own
        return np.asarray(CURVATURE[self.link] * pull)

    def spread(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The second derivative (factors, factors) that ``vectors`` cause on the other side."""
        return CURVATURE[self.link] * (vectors.T @ vectors)

    def _target(
        self, items: NDArray[np.float64], labels: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        linear = items @ labels.T
        found = linear - expit(linear + self.centre) / CURVATURE[self.link]
        return np.asarray(found + self.matrix / CURVATURE[self.link])


class CMF(ByProfile):
    """Predicts the damped bias plus the product of a user's and an item's vector.

    The vectors U of users, V of items and Z of labels minimise, with a = ``rating_share``,
    ``a/2 sum (r - bias - U[u] V[i])^2 + (1 - a) sum loss(y, V[i] Z[l]) + ridge/2 (||U||^2 +
    ||V||^2 + ||Z||^2)`` over ratings r and cells y of the relations. They are computed in turn,
    each exactly for Gaussian labels. A profile's vector is computed from V.
    """

    name: ClassVar[str] = "cmf"
    config: CMFConfig
    factors_: NDArray[np.float64]  #: V (n_items, factors)

    def _limits(self) -> dict[str, tuple[bool, str]]:
        own = self.config
        at_least = ("factors", "iterations", "least_items")
        known = set(own.relations) <= set(KINDS) and len(set(own.relations)) == len(own.relations)
        return {
            **{name: (getattr(own, name) >= 1, "at least 1") for name in at_least},
            "relations": (known, f"different ones of {', '.join(KINDS)}"),
            "ridge": (own.ridge > 0, "above 0"),
            "rating_share": (0 < own.rating_share <= 1, "above 0, at most 1"),
        }

    def _fit(self, ratings: Ratings, options: RunOptions) -> None:
        own = self.config
        self.bias_ = BiasTerms.learn(self.profiles_, BiasConfig())
        rows, items = ratings.rows(), ratings.indices.astype(np.int64)
        residuals = ratings.values - self.bias_.predict(self.profiles_, rows, items)
        shape = self.profiles_.shape
        by_user = csr_array((residuals, self.profiles_.indices, self.profiles_.indptr), shape=shape)
        read = (self.n_items_, own.least_items, own.link)
        relations = [Relation.read(ratings.labels[kind], *read) for kind in own.relations]
        self.factors_ = self._factorise(by_user, relations, options)

    def _factorise(
        self, by_user: csr_array, relations: Sequence[Relation], options: RunOptions
    ) -> NDArray[np.float64]:
        """V, from residuals (n_users, n_items) and relations."""
        own, by_item = self.config, by_user.T.tocsr()
        rest, plain = 1 - own.rating_share, own.ridge * np.eye(own.factors)
        rng = np.random.default_rng(options.seed)
        items: NDArray[np.float64] = rng.normal(scale=0.1, size=(self.n_items_, own.factors))
        labels = [np.zeros((len(relation.centre), own.factors)) for relation in relations]
        # Items that are known in the same relations share a part of their normal equations.
        known = np.array([relation.known for relation in relations]).reshape(-1, self.n_items_)
        patterns, kinds = np.unique(known, axis=1, return_inverse=True)
        for _ in self._passes(options, own.iterations):
            users = self._solve(by_user, items)
            for place, relation in enumerate(relations):
                pull = rest * relation.pull_labels(items, labels[place])
                normal = plain + rest * relation.spread(items[relation.known])
                labels[place] = np.asarray(np.linalg.solve(normal, pull.T).T, np.float64)
            pairs = list(zip(relations, labels, strict=True))
            pull = rest * sum(
                (relation.pull_items(items, own_labels) for relation, own_labels in pairs),
                np.zeros_like(items),
            )
            spreads = [rest * relation.spread(own_labels) for relation, own_labels in pairs]
            normals = [
                sum((s for s, here in zip(spreads, pattern, strict=True) if here), plain)
                for pattern in patterns.T
            ]
            items = self._solve(by_item, users, pull, normals, kinds)
        return items

    def _solve(
        self,
        residuals: csr_array,
        others: NDArray[np.float64],
        pull: NDArray[np.float64] | None = None,
        normals: Sequence[NDArray[np.float64]] = (),
        kinds: NDArray[np.integer] | None = None,
    ) -> NDArray[np.float64]:
        """The best vectors (n, factors) of the rows of ``residuals`` (n, m), given the columns'.

        Row i has the right side ``pull[i]`` and the matrix ``normals[kinds[i]]`` beside what the
        ratings add; without them it has nothing and the ridge.
        """
        own, share = self.config, self.config.rating_share
        plain = own.ridge * np.eye(own.factors)
        found = np.zeros((residuals.shape[0], own.factors))
        for row, start in enumerate(residuals.indptr[:-1]):
            part = slice(start, residuals.indptr[row + 1])
            chosen = others[residuals.indices[part]]
            right = share * (residuals.data[part] @ chosen)
            normal = plain if kinds is None else normals[kinds[row]]
            right = right if pull is None else right + pull[row]
            found[row] = np.linalg.solve(normal + share * (chosen.T @ chosen), right)
        return found

    def _own_items(self) -> NDArray[np.bool_]:
        return np.asarray(self.factors_.any(axis=1))

    def _rate(self, profile: ProfileRatings, wanted: NDArray[np.int64]) -> NDArray[np.float64]:
        means = self.bias_.item_means()
        residuals = profile.stars - means[profile.items] - profile.offset
        one = csr_array((residuals, profile.items, [0, len(residuals)]), shape=(1, self.n_items_))
        vector = self._solve(one, self.factors_)[0]
        return means[wanted] + profile.offset + self.factors_[wanted] @ vector

    def _arrays(self) -> dict[str, NDArray]:
        return {**super()._arrays(), "cmf.factors": self.factors_}

    def _restore(self, arrays: Mapping[str, NDArray]) -> None:
        super()._restore(arrays)
        self.factors_ = arrays["cmf.factors"]
