from dataclasses import replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from recommender.core.algorithms.dual_autoencoder.model import DualAutoencoder
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts, readers_first
from recommender.core.configs.networks import DualAutoencoderConfig
from tests.recommender.core.matrices import random_ratings

CONFIG = DualAutoencoderConfig()
MATRIX = random_ratings(2, n_users=20, n_items=15).matrix()


def masks_of_a_pass(matrix=MATRIX, config=CONFIG, seed=0) -> list[np.ndarray]:
    return list(RatingParts(matrix, config).draw_masks(np.random.default_rng(seed)))


def test_every_rating_is_withheld_once_in_a_pass():
    masks = masks_of_a_pass()
    assert_array_equal(np.sum(masks, axis=0), 1)
    assert len(masks) == 5
    shares = np.mean(masks, axis=1)
    assert shares.min() > 0.05
    assert shares.max() < 0.4


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 0.5), st.floats(1 / 3, 1), st.integers(0, 1000))
def test_no_valid_setting_withholds_two_thirds_at_once(most, ratio, seed):
    config = DualAutoencoderConfig(withheld=(max(0.001, most * ratio), most))
    DualAutoencoder(config).check()
    masks = masks_of_a_pass(csr_array(np.ones((40, 50), np.float32)), config, seed)
    assert_array_equal(np.sum(masks, axis=0), 1)
    assert np.mean(masks, axis=1).max() < 2 / 3


def test_nothing_that_the_networks_read_depends_on_withheld_ratings():
    withheld = masks_of_a_pass()[0]
    changed = MATRIX.copy()
    changed.data = np.where(withheld, 5.5 - changed.data, changed.data)
    one, other = (RatingParts(matrix, CONFIG).prepare(withheld) for matrix in (MATRIX, changed))
    assert torch.equal(one.kept.values, other.kept.values)
    assert torch.equal(one.kept_by_item.values, other.kept_by_item.values)
    assert len(one.kept.columns) == np.count_nonzero(~withheld)
    assert not torch.equal(one.targets, other.targets)


def test_kept_and_withheld_ratings_are_residuals_in_both_orders():
    withheld = masks_of_a_pass()[0]
    part = RatingParts(MATRIX, CONFIG).prepare(withheld)
    rows, items = MATRIX.nonzero()
    block = part.blocks[0]()
    assert_array_equal(block.user_of, rows[withheld])
    assert_array_equal(block.withheld.columns, items[withheld])
    assert_array_equal(block.withheld_by_item.columns, rows[withheld][block.item_order])
    by_user = csr_array((part.kept.values, part.kept.columns, part.kept.starts), shape=(20, 15))
    by_item = part.kept_by_item
    transpose = csr_array((by_item.values, by_item.columns, by_item.starts), shape=(15, 20))
    assert_allclose(by_user.toarray(), transpose.toarray().T)


def test_the_users_with_the_most_ratings_come_first_and_keep_their_order():
    counts = np.diff(MATRIX.indptr)
    found = readers_first(MATRIX, replace(CONFIG, most_readers=6))
    readers = sorted(sorted(range(20), key=lambda user: -counts[user])[:6])
    others = [user for user in range(20) if user not in readers]
    assert_array_equal(found.toarray(), MATRIX.toarray()[readers + others])
    assert readers_first(MATRIX, CONFIG) is MATRIX


def test_the_profiles_of_items_have_the_ratings_of_readers_alone():
    matrix = readers_first(MATRIX, replace(CONFIG, most_readers=6))
    withheld = masks_of_a_pass(matrix)[0]
    part = RatingParts(matrix, replace(CONFIG, most_readers=6)).prepare(withheld)
    assert part.kept_by_item.columns.max() == 5
    assert len(part.kept.starts) == 7
    users = [len(make_block().kept.starts) - 1 for make_block in part.blocks]
    assert users == [6, 14]
