"""Configurations of the systems that read labels of items beside the ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from recommender.core.configs.base import SystemConfig


@dataclass(frozen=True)
class CMFConfig(SystemConfig):
    """Collective factorisation: ratings and labels share the vectors of the items."""

    implementation: ClassVar = "recommender.core.algorithms.cmf:CMF"

    relations: tuple[str, ...] = ("genres",)  #: the kinds of labels that are factorised
    link: Literal["gaussian", "logistic"] = "gaussian"  #: the distribution of a label
    factors: int = 32  #: length of the vector of a user, an item or a label
    iterations: int = 15  #: times that the vectors of users, labels and items are computed
    ridge: float = 8.0  #: penalty of the squared length of each vector, in squared stars
    rating_share: float = 0.5  #: weight of the ratings' errors; those of the labels have the rest
    least_items: int = 3  #: labels of fewer items are left out

    @property
    def needs(self) -> tuple[str, ...]:
        return self.relations


@dataclass(frozen=True)
class MoodMFConfig(SystemConfig):
    """Joint factorisation: items of a similar mood get similar vectors."""

    implementation: ClassVar = "recommender.core.algorithms.mood_mf:MoodMF"

    source: Literal["tags", "genome"] = "tags"  #: the labels that tell an item's moods
    mood: str = ""  #: the one mood that counts, such as dark; empty: all moods
    offset: Literal["bias", "nothing"] = "bias"  #: what is added to the product of the vectors
    factors: int = 16  #: length of the vector of a user or an item
    steps: int = 100  #: most steps of the optimiser
    penalty: float = 0.8  #: weight of half the squared length of all vectors
    mood_weight: float = 0.1  #: weight of an error of a similarity; an error of a rating has 1
    neighbours: int = 50  #: similar items kept for each item

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.source,)


@dataclass(frozen=True)
class MudRecSConfig(SystemConfig):
    """Content only: the user's stars of movies with similar genres, people and words."""

    implementation: ClassVar = "recommender.core.algorithms.mudrecs:MudRecS"

    estimate: Literal["content", "regression"] = (
        "content"  #: the user's stars alone, or a regression
    )
    neighbours: int = (
        20  #: the most similar items of the profile that count, and those tied with them
    )
    power: float = 2.0  #: of the similarity, in an item's weight
    shrinkage: float = 1.0  #: weight of the user's mean beside the similar items
    user_damping: float = 5.0  #: ratings of the mean of all that are added to a user's mean
    item_damping: float = 5.0  #: the same for an item's mean, in the regression
    ridge: float = 1.0  #: penalty of the regression's squared weights, in ratings
    most_examples: int = (
        200_000  #: training ratings that are predicted from the rest of their profile
    )

    @property
    def needs(self) -> tuple[str, ...]:
        return ("genres",)
