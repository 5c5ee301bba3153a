"""Configurations of the damped bias and of the systems that predict it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recommender.core.configs.base import SystemConfig


@dataclass(frozen=True)
class BiasConfig(SystemConfig):
    """Damped bias: mean + user offset + item offset, each shrunk towards zero."""

    implementation: ClassVar = "recommender.core.algorithms.bias:Bias"

    user_damping: float = 5.0  #: ratings without offset added to each user before averaging
    item_damping: float = 5.0  #: the same for each item


@dataclass(frozen=True)
class PopularityConfig(BiasConfig):
    """The most rated items first; ratings are predicted by the damped bias of these settings."""

    implementation: ClassVar = "recommender.core.algorithms.popularity:Popularity"


@dataclass(frozen=True)
class RandomConfig(BiasConfig):
    """Items in random order; ratings are predicted by the damped bias of these settings."""

    implementation: ClassVar = "recommender.core.algorithms.random_order:RandomOrder"
