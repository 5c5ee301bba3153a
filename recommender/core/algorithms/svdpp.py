"""SVD++ (Koren, KDD 2008): which items a user rated is part of the user's vector."""

from __future__ import annotations

from typing import ClassVar

from recommender.core.algorithms.svd import SVD
from recommender.core.configs.factors import SVDppConfig


class SVDpp(SVD):
    """SVD with a second vector for each item, added up over the items of a profile."""

    name: ClassVar[str] = "svdpp"
    implicit: ClassVar[bool] = True
    config: SVDppConfig
