"""Configurations of matrix factorisation: a user and an item are vectors of a few numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recommender.core.configs.base import SystemConfig
from recommender.core.configs.simple import BiasConfig


@dataclass(frozen=True)
class SVDConfig(SystemConfig):
    """Biases and factors, by stochastic gradient descent."""

    implementation: ClassVar = "recommender.core.algorithms.svd:SVD"

    factors: int = 100  #: length of the vector of a user or an item
    epochs: int = 60  #: passes over all training ratings
    learning_rate: float = 0.005  #: size of a step in the first pass
    decay: float = 1.0  #: the learning rate is multiplied by this after every pass
    ridge: float = 0.1  #: penalty of the squares of what predicts a rating, for each rating
    spread: float = 0.1  #: standard deviation of the random numbers from which factors start


@dataclass(frozen=True)
class SVDppConfig(SVDConfig):
    """The same, and which items a user rated says something about the user."""

    implementation: ClassVar = "recommender.core.algorithms.svdpp:SVDpp"


@dataclass(frozen=True)
class TimeSVDppConfig(SVDppConfig):
    """The same, with offsets and vectors that change with the date of a rating."""

    implementation: ClassVar = "recommender.core.algorithms.timesvdpp:TimeSVDpp"

    periods: int = 8  #: equal parts of the time of the ratings; an item has an offset in each
    power: float = 0.4  #: a user changes with the time from the user's mean day, to this power
    time_ridge: float = 8.0  #: the penalty, for each rating, of all that depends on time

    @property
    def needs(self) -> tuple[str, ...]:
        return ("timestamps",)

    @property
    def uses_dates(self) -> bool:
        return True


@dataclass(frozen=True)
class BiasedALSConfig(BiasConfig):
    """Factors of what the damped bias leaves over, by alternating least squares."""

    implementation: ClassVar = "recommender.core.algorithms.biased_als:BiasedALS"

    factors: int = 50  #: length of the vector of a user or an item
    iterations: int = 10  #: times that all users' and then all items' vectors are computed
    ridge: float = 0.15  #: penalty of a vector's squared length, for each rating
    spread: float = 0.1  #: standard deviation of the random numbers from which factors start


@dataclass(frozen=True)
class BayesFMConfig(SystemConfig):
    """A factorisation machine of users, items and what goes with them, averaged over draws."""

    implementation: ClassVar = "recommender.core.algorithms.bayes_fm.model:BayesFM"

    factors: int = 16  #: length of the vectors
    draws: int = 300  #: draws of all parameters from their distribution given the ratings
    burn_in: int = 60  #: first draws that are not used
    keep_every: int = 4  #: of the others, one in so many is used
    spread: float = 0.1  #: standard deviation of the random numbers from which factors start
    dates: bool = False  #: whether the date of a rating is part of the model
    periods: int = 30  #: with dates: equal parts of time; an item has an offset in each

    #: with dates: seconds; time is cut into parts of each length, in which a user has an offset
    sittings: tuple[int, ...] = (1, 30, 60, 180, 600, 3_600, 86_400)

    @property
    def needs(self) -> tuple[str, ...]:
        return ("timestamps",) if self.dates else ()

    @property
    def uses_dates(self) -> bool:
        return self.dates
