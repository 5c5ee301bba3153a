"""The entrance to the compiled search."""

from __future__ import annotations

import os

from scipy.sparse import csr_array

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.neighbours.fast.nearest_raters import CompiledPredictor
from recommender.core.neighbours.fast.nearest_users import CompiledIndex
from recommender.core.neighbours.fast.packed_profiles import to_integer_profiles
from recommender.core.neighbours.predictions import PlainPredictor
from recommender.core.ratings import Scale
from recommender.core.systems import override


def compile_predictor(
    matrix: csr_array, scale: Scale, config: UserKNNConfig, threads: int | None = None
) -> PlainPredictor | CompiledPredictor | None:
    """The predictor of ``matrix`` (n_users, n_items; stars) with its search compiled.

    None where the plain form is needed: for another similarity than the plain full-vector cosine,
    for ``neighbours="all"``, and for stars that are not 1 to 15 whole steps of the scale.
    ``threads`` defaults to the number of processors.
    """
    profiles, n_items = to_integer_profiles(matrix, scale), matrix.shape[1]
    threads = threads or os.cpu_count() or 1
    if profiles is None:
        return None
    if override(config, k=5, fallback="bias") == UserKNNConfig():
        return CompiledPredictor(profiles, n_items, scale, config.k, threads)
    if override(config, k=5, fallback="bias", combine="mean") == UserKNNConfig(
        neighbours="overall"
    ):
        index = CompiledIndex(profiles, n_items, scale, threads)
        return PlainPredictor(matrix, scale, config, index)
    return None
