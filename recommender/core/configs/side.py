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
    ridge: float = 10.0  #: penalty of the squared length of each vector, in squared stars
    rating_share: float = 0.5  #: weight of the ratings' errors; those of the labels have the rest
    least_items: int = 3  #: labels of fewer items are left out

    @property
    def needs(self) -> tuple[str, ...]:
        return self.relations
