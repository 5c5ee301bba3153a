"""Simulated ratings whose best possible error is known, for recipe_scale.py.

A star is the mean, plus offsets of the user and the item, plus a product of tastes in many
dimensions of falling weight, plus normal noise, rounded to whole stars from 1 to 5. Who rates what
depends on how active the user and how popular the item is, as in MovieLens, not on taste.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from recommender.core.ratings import Ratings, Scale

MEAN, NOISE = 3.55, 0.75
USER_OFFSETS, ITEM_OFFSETS, TASTES = 0.4, 0.5, 0.45  # standard deviations, in stars
DIMENSIONS, DECAY = 64, 1.2  # the variance of the taste of dimension d is proportional to d^-DECAY
SIZES = {0.1: (943, 1_682), 0.4: (3_000, 2_600), 1.0: (6_040, 3_706), 5.0: (30_000, 9_000)}


@dataclass(frozen=True, eq=False)
class Simulated:
    """``ratings``, and the best prediction of each (n_ratings): the expected stars."""

    ratings: Ratings
    expected: NDArray[np.float64]


def simulate(millions: float, seed: int = 0) -> Simulated:
    """A set of about ``millions`` million ratings (a key of SIZES); the same seed, the same set."""
    rng = np.random.default_rng([seed, round(10 * millions)])
    n_users, n_items = SIZES[millions]
    active = np.maximum(rng.lognormal(0, 1.0, n_users), 0.15)
    popular = rng.permutation((np.arange(n_items) + n_items / 12) ** -1.4 + 2e-6)
    wanted = int(millions * 1e6)
    sizes = np.minimum(np.ceil(active / active.sum() * wanted), 0.6 * n_items).astype(np.int64)
    # Drawing by the largest of log(popularity) + Gumbel noise gives distinct items.
    weights = np.log(popular).astype(np.float32)
    chosen = [
        np.sort(np.argpartition(-(weights + rng.gumbel(size=n_items)), size - 1)[:size])
        for size in sizes
    ]
    users, items = np.repeat(np.arange(n_users), sizes), np.concatenate(chosen)
    spread = np.arange(1, DIMENSIONS + 1) ** (-DECAY / 2)
    spread *= np.sqrt(TASTES / np.sqrt(np.sum(spread**4)))
    tastes = rng.normal(size=(n_users, DIMENSIONS)) * spread
    traits = rng.normal(size=(n_items, DIMENSIONS)) * spread
    means = MEAN + rng.normal(0, USER_OFFSETS, n_users)[users]
    means += rng.normal(0, ITEM_OFFSETS, n_items)[items]
    for start in range(0, len(users), 100_000):
        part = slice(start, start + 100_000)
        means[part] += np.einsum("ij,ij->i", tastes[users[part]], traits[items[part]])
    stars = np.clip(np.rint(means + rng.normal(0, NOISE, len(means))), 1, 5)
    # P(stars > k) = P(mean + noise > k + 1/2)
    expected = 1 + sum(ndtr((means - (level + 0.5)) / NOISE) for level in range(1, 5))
    ratings = Ratings.from_triples(
        users, items, stars, scale=Scale(1, 5, 1),
        user_ids=np.arange(n_users), item_ids=np.arange(n_items),
    )  # fmt: skip
    return Simulated(ratings, np.asarray(expected))
