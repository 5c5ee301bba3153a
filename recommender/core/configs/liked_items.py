"""Configurations of the systems that learn from liked items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recommender.core.configs.simple import BiasConfig


@dataclass(frozen=True)
class LikedItemsConfig(BiasConfig):
    """What systems share that learn from liked items; they predict the damped bias."""

    liked_from: float = 0.75  #: where liked ratings begin: 0 is the scale's minimum, 1 its maximum


@dataclass(frozen=True)
class EaseConfig(LikedItemsConfig):
    """A linear model of liked items in closed form."""

    implementation: ClassVar = "recommender.core.algorithms.ease:Ease"

    ridge: float = 200.0  #: penalty of the squared weights, Steck's lambda, in ratings
    most_items: int = 20_000  #: refuse to train on more liked items; memory grows with the square


@dataclass(frozen=True)
class ImplicitALSConfig(LikedItemsConfig):
    """Factors of liked items, by alternating least squares."""

    implementation: ClassVar = "recommender.core.algorithms.implicit_als:ImplicitALS"

    factors: int = 64  #: length of the vector of a user or an item
    iterations: int = 15  #: times that all users' and then all items' vectors are computed
    ridge: float = 60.0  #: penalty of the squared length of each vector, in ratings
    alpha: float = 10.0  #: a liked item has the weight 1 + alpha, any other 1
