"""Configurations of the probabilistic systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recommender.core.configs.base import SystemConfig


@dataclass(frozen=True)
class NPMFConfig(SystemConfig):
    """Nonparametric factorisation: all profiles are drawn from one normal distribution."""

    implementation: ClassVar = "recommender.core.algorithms.npmf:NPMF"

    rounds: int = 25  #: rounds of the EM algorithm; more fit the training ratings more closely
    noise: float = 0.8  #: variance of a rating that the covariance does not explain
    most_items: int = (
        4000  #: the most rated items in the covariance; the others get the damped bias
    )
    most_ratings: int = 1000  #: ratings read of a profile; a longer one is sampled
