"""Gibbs sampling of a factorisation machine, one side of the ratings and one column at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from recommender.core.compiling import kernel


@kernel
def draw_group(  # type: ignore[no-untyped-def]
    starts, entities, weights, slopes, products, alpha, precision, centre, noise, values, totals
):
    """Draw the ``values`` of a group's features one after another, given everything else.

    Feature j has the weight ``weights[k]`` in entity ``entities[k]``, k from starts[j] to
    starts[j + 1]. ``slopes`` (n_entities) are the sums over an entity's ratings of the squared
    derivative of the prediction by the entity's total, ``products`` those of derivative times
    error. ``products``, ``values`` and ``totals`` are changed in place.
    """
    for j in range(len(values)):
        slope = product = 0.0
        for k in range(starts[j], starts[j + 1]):
            slope += weights[k] ** 2 * slopes[entities[k]]
            product += weights[k] * products[entities[k]]
        certainty = alpha * slope + precision
        mean = (alpha * (product + slope * values[j]) + precision * centre) / certainty
        change = mean + noise[j] / np.sqrt(certainty) - values[j]
        values[j] += change
        for k in range(starts[j], starts[j + 1]):
            totals[entities[k]] += weights[k] * change
            products[entities[k]] -= weights[k] * slopes[entities[k]] * change


@kernel
def sum_slopes(entities, derivatives, errors, slopes, products):  # type: ignore[no-untyped-def]
    """Add up, for each entity, what ``draw_group`` needs of its ratings."""
    for place in range(len(entities)):
        slopes[entities[place]] += derivatives[place] ** 2
        products[entities[place]] += derivatives[place] * errors[place]


@kernel
def subtract_changes(entities, derivatives, changes, errors):  # type: ignore[no-untyped-def]
    """Correct the errors after the totals of entities have changed."""
    for place in range(len(entities)):
        errors[place] -= derivatives[place] * changes[entities[place]]


class Group:
    """Features of one kind, their values, and the normal distribution that these come from."""

    def __init__(self, features: csr_array, values: NDArray[np.float64], centred: bool) -> None:
        """``features`` (n_entities, n_features) are weights; ``values`` (columns, n_features).

        The mean of a ``centred`` group is zero.
        """
        by_feature = features.T.tocsr()
        self.places = by_feature.indptr, by_feature.indices, by_feature.data.astype(np.float64)
        self.values, self.centred = values, centred
        self.precisions, self.means = np.ones(len(values)), np.zeros(len(values))

    def draw_distribution(self, column: int, rng: np.random.Generator) -> None:
        """Draw precision, then mean, of a column given its values (weak conjugate priors)."""
        values, size = self.values[column], self.values.shape[1] + 1
        squares = np.sum((values - self.means[column]) ** 2) + self.means[column] ** 2 + 1
        self.precisions[column] = rng.gamma((size + 1) / 2) / (squares / 2)
        if not self.centred:
            spread = 1 / np.sqrt(self.precisions[column] * size)
            self.means[column] = values.sum() / size + spread * rng.normal()


@dataclass(eq=False)
class Mode:
    """One side of a rating: its entity there, and what the groups add up to for each entity."""

    entities: NDArray[np.int64]  #: (n_ratings)
    groups: list[Group]
    totals: NDArray[np.float64]  #: (columns, n_entities); column 0 is the offset

    def draw(
        self,
        column: int,
        derivatives: NDArray[np.float64],
        errors: NDArray[np.float64],
        alpha: float,
        rng: np.random.Generator,
    ) -> None:
        """Draw a column of all groups; ``errors`` (n_ratings) are kept up to date."""
        totals = self.totals[column]
        before, slopes, products = totals.copy(), np.zeros(len(totals)), np.zeros(len(totals))
        sum_slopes(self.entities, derivatives, errors, slopes, products)
        for group in self.groups:
            group.draw_distribution(column, rng)
            values = group.values[column]
            noise = rng.normal(size=len(values))
            normal = alpha, group.precisions[column], group.means[column]
            draw_group(*group.places, slopes, products, *normal, noise, values, totals)
        subtract_changes(self.entities, derivatives, totals - before, errors)
