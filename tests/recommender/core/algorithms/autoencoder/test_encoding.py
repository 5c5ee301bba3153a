import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.core.algorithms.autoencoder.encoding import Encoding
from recommender.core.algorithms.bias import BiasTerms
from recommender.core.configs.networks import AutoencoderConfig
from recommender.core.configs.simple import BiasConfig
from tests.recommender.core.matrices import random_ratings


def test_inputs_are_stars_or_damped_distances_from_the_items_mean():
    matrix = random_ratings(1).matrix()
    bias, counts = BiasTerms.learn(matrix, BiasConfig()), np.bincount(matrix.indices, minlength=9)
    raw = Encoding(bias, counts, AutoencoderConfig()).inputs(matrix)
    assert np.array_equal(raw.data, matrix.data)
    config = AutoencoderConfig(target="residual", movie_damping=4.0)
    damped = Encoding(bias, counts, config).inputs(matrix).toarray()
    user, item = matrix.nonzero()[0][5], matrix.nonzero()[1][5]
    share = counts[item] / (counts[item] + 4)
    wanted = (matrix[user, item] - bias.item_means()[item]) * share
    assert damped[user, item] == pytest.approx(wanted)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_baseline_of_a_rating_does_not_know_it(seed):
    """The damped bias with the rating left out of its item's and its user's offset."""
    matrix = random_ratings(seed, n_users=7, n_items=6).matrix()
    dense, bias = matrix.toarray().astype(float), BiasTerms.learn(matrix, BiasConfig())
    rows = np.repeat(np.arange(7), np.diff(matrix.indptr))
    counts = np.bincount(matrix.indices, minlength=6)
    found = Encoding(bias, counts, AutoencoderConfig(target="residual")).baselines(matrix, rows)
    for position, (user, item) in enumerate(zip(rows, matrix.indices, strict=True)):
        others = [r - bias.mean for v, r in enumerate(dense[:, item]) if r and v != user]
        item_offset = sum(others) / (len(others) + 5)
        rest = [
            dense[user, i] - bias.mean - bias.item_offsets[i]
            for i in range(6)
            if dense[user, i] and i != item
        ]
        wanted = bias.mean + item_offset + sum(rest) / (len(rest) + 5)
        assert found[position] == pytest.approx(wanted, abs=1e-9)
