"""Configurations of the nearest neighbours, between users or between items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from recommender.core.configs.base import SystemConfig


@dataclass(frozen=True)
class UserKNNConfig(SystemConfig):
    """User-user neighbours (paper, sections II and IV.B)."""

    implementation: ClassVar = "recommender.core.algorithms.user_knn:UserKNN"

    k: int = 5  #: number of neighbours, most similar first
    similarity: Literal["cosine", "dot", "correlation"] = "cosine"
    over: Literal["full", "common"] = "full"  #: full profiles with zeros, or common items only
    shrinkage: float = 0.0  #: similarities are multiplied by overlap / (overlap + this)
    minimum_overlap: int = 1  #: least number of items that a neighbour shares with the profile
    minimum_similarity: float = 0.0  #: a neighbour's similarity must be above this
    #: the k nearest raters of the item, the k nearest users overall, or all users
    neighbours: Literal["raters", "overall", "all"] = "raters"
    #: of the raters; "mean-with-zeros" for missing ratings; "sum" of similarity times stars
    combine: Literal["mean", "mean-with-zeros", "sum"] = "mean"
    #: what the user's mean is subtracted from
    centre: Literal["nothing", "stars", "everything"] = "nothing"
    #: without any neighbour: the damped bias, or the mean of all ratings
    fallback: Literal["bias", "mean"] = "bias"
    #: a tree is for the nearest "overall" by cosine only
    search: Literal["blocks", "kd-tree", "ball-tree"] = "blocks"


@dataclass(frozen=True)
class ItemKNNConfig(SystemConfig):
    """Item-item neighbours (paper, section II): the choices of ``UserKNNConfig`` between items."""

    implementation: ClassVar = "recommender.core.algorithms.item_knn:ItemKNN"

    k: int = 5  #: number of neighbours, most similar first
    similarity: Literal["cosine", "dot", "correlation"] = "cosine"
    over: Literal["full", "common"] = "full"  #: all users with zeros, or those who rated both items
    shrinkage: float = 0.0  #: similarities are multiplied by overlap / (overlap + this)
    minimum_overlap: int = 1  #: least number of users who rated both items
    minimum_similarity: float = 0.0  #: a neighbour's similarity must be above this
    #: the k nearest of the items that the user rated, the k nearest items overall, or all items
    neighbours: Literal["rated", "overall", "all"] = "rated"
    #: of the user's stars for them; "sum" of similarity times stars
    combine: Literal["mean", "sum"] = "mean"
    #: what a mean is subtracted from
    centre: Literal["nothing", "stars", "everything"] = "nothing"
    #: whose mean; "user" makes the centred cosine the adjusted cosine
    mean_of: Literal["item", "user"] = "item"
    #: without any neighbour: the damped bias, or the mean of all ratings
    fallback: Literal["bias", "mean"] = "bias"
    #: most neighbours of an item that a model keeps; 0: all
    stored: int = 1000


KNNConfig = UserKNNConfig | ItemKNNConfig
