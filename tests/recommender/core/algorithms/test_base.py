from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from recommender.core.algorithms.base import check_fields, rank_candidates, seeded_hash
from recommender.core.algorithms.bias import Bias
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError
from tests.recommender.core.matrices import random_ratings

HASHES = np.array([7, 5, 3, 1], np.uint64)


@dataclass
class Settings:
    k: int = 0
    share: float = 2.0
    epochs: int = 3


def test_the_first_key_ranks_first():
    best, tied = rank_candidates([np.array([1.0, 4.0, 2.0, 3.0]), HASHES], 3)
    assert (best.tolist(), tied) == ([1, 3, 2], 1)


def test_a_tie_break_orders_equal_scores_and_the_hash_the_rest():
    scores, counts = np.array([2.0, 2.0, 2.0, 1.0]), np.array([1.0, 9.0, 1.0, 99.0])
    best, tied = rank_candidates([scores, counts, HASHES], 4)
    assert (best.tolist(), tied) == ([1, 2, 0, 3], 3)


def test_ties_at_the_end_of_the_list_are_broken_too():
    best, _ = rank_candidates([np.array([1.0, 1.0, 1.0, 1.0]), HASHES], 2)
    assert best.tolist() == [3, 2]


def test_without_candidates_nothing_is_ranked():
    best, tied = rank_candidates([np.empty(0), np.empty(0, np.uint64)], 3)
    assert (best.tolist(), tied) == ([], 0)


def test_the_hash_is_splitmix64():
    # The first outputs of the reference implementation for the state that seed 0 starts from.
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1
    state, wanted = golden, []
    for _ in range(3):
        state = (state + golden) & mask
        z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        wanted.append(z ^ (z >> 31))
    assert seeded_hash(3, 0).tolist() == wanted
    assert not np.any(seeded_hash(100, 0) == seeded_hash(100, 1))
    assert_array_equal(seeded_hash(100, 5)[:10], seeded_hash(10, 5))


def test_every_invalid_field_is_named_with_its_value_and_range():
    limits = {"k": (False, "at least 1"), "share": (False, "below 1"), "epochs": (True, "any")}
    with pytest.raises(ConfigurationError) as refused:
        check_fields(Settings(), limits)
    assert "k=0 (at least 1), share=2.0 (below 1)" in str(refused.value)
    assert "epochs" not in str(refused.value)


class MoodConfig(BiasConfig):
    needs = ("tags",)


def test_a_system_without_the_data_it_needs_is_refused():
    with pytest.raises(ConfigurationError, match="needs tags"):
        Bias(MoodConfig()).fit(random_ratings(seed=1))
