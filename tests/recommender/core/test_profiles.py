"""The profiles of a batch: how they are dealt to threads."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recommender.core.algorithms.profiles import SparseProfiles, evenly_dealt
from tests.recommender.core.matrices import random_ratings


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 9))
def test_every_profile_is_dealt_once(lengths, hands):
    order = evenly_dealt(np.array(lengths, int), hands)
    assert sorted(order.tolist()) == list(range(len(lengths)))


def test_threads_get_about_as_much():
    lengths = np.random.default_rng(0).lognormal(4, 1.2, 70).astype(int)
    lengths[:2] = lengths.max()  # side by side
    shares = [lengths[part].sum() for part in np.split(evenly_dealt(lengths, 4), [18, 36, 54])]
    assert max(shares) < 1.05 * lengths.sum() / 4
    assert max(part.sum() for part in np.split(lengths, [18, 36, 54])) > 1.2 * lengths.sum() / 4


@pytest.mark.parametrize("threads", [1, 3])
def test_sums_are_those_of_the_profiles_in_their_own_order(threads):
    matrix = random_ratings(0).matrix()
    first, before = torch.randn(9, 5, dtype=torch.float64), torch.get_num_threads()
    torch.set_num_threads(threads)
    nothing = np.empty(0, np.int64)
    batch = SparseProfiles.of(matrix, nothing, nothing.astype(float), "cpu", torch.float64)
    torch.set_num_threads(before)
    wanted = torch.from_numpy(matrix.toarray().astype(float)) @ first
    assert torch.allclose(batch.sums(first), wanted, rtol=1e-12)
