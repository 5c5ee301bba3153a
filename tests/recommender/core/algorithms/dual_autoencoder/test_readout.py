from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.dual_autoencoder import readout
from recommender.core.algorithms.dual_autoencoder.network import MemberNetwork
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts
from recommender.core.algorithms.dual_autoencoder.readout import Readout
from recommender.core.configs.networks import DualAutoencoderConfig
from tests.recommender.core.matrices import random_ratings

CONFIG = DualAutoencoderConfig(hidden=16, ridge=0.3)
MATRIX = random_ratings(2, n_users=20, n_items=15).matrix()
PARTS = RatingParts(MATRIX, CONFIG)


def read_out(*kinds, matrix=MATRIX) -> Readout:
    members = [MemberNetwork(kind, (20, 15), CONFIG, [n]) for n, kind in enumerate(kinds)]
    return Readout.of(members, PARTS, matrix)


@pytest.mark.parametrize("n_ratings", [3, 15])  # fewer than the 17 columns, and a square system
def test_item_members_solve_the_ridge_regression_of_the_profile(n_ratings):
    found = read_out("item")
    profile = MATRIX[[0]].toarray()
    profile[0, :n_ratings], profile[0, n_ratings:] = 2.5, 0
    profile = type(MATRIX)(profile)
    rest = profile.data - found.bias.predict(profile, np.zeros(n_ratings, int), profile.indices)
    codes = found.members[0]["table"][profile.indices].astype(float)
    solved = np.linalg.solve(codes.T @ codes + CONFIG.ridge * np.eye(17), codes.T @ rest)
    trust = n_ratings / (n_ratings + CONFIG.trust)
    assert_allclose(found.vectors(profile)[0][0], solved * trust, rtol=1e-4, atol=1e-6)


def test_dual_members_read_profiles_as_in_training():
    withheld = next(PARTS.draw_masks(np.random.default_rng(0)))
    member, kept = MemberNetwork("dual", (20, 15), CONFIG, [0]), PARTS.select(~withheld)
    rows, items = PARTS.users[withheld], PARTS.items[withheld]
    found = Readout.of([member], PARTS, kept)
    predicted = found.predict(kept, rows, items, np.ones(len(rows), bool))
    part = PARTS.prepare(withheld)
    trained = member(part.blocks[0](), member.code_items(part, None), None).detach()
    assert_allclose(predicted - found.bias.predict(kept, rows, items), trained, atol=1e-6)


def test_the_prediction_is_the_average_of_the_members():
    whole = read_out("dual", "dual", "item")
    alone = [replace(whole, members=[one]).residual_grid(MATRIX) for one in whole.members]
    assert_allclose(whole.residual_grid(MATRIX), np.mean(alone, axis=0), atol=1e-6)
    assert not np.allclose(alone[0], alone[1])


def test_unknown_pairs_get_the_damped_bias():
    found, rows, items = read_out("dual", "item"), np.array([0, 0, 3]), np.array([2, 5, 5])
    predicted = found.predict(MATRIX, rows, items, np.array([False, True, False]))
    changed = predicted != found.bias.predict(MATRIX, rows, items)
    assert changed.tolist() == [False, True, False]


def test_blocks_change_nothing(monkeypatch):
    found = read_out("dual", "item")
    rows, items = np.divmod(np.arange(20 * 15), 15)
    known = np.ones(len(rows), bool)
    whole = found.predict(MATRIX, rows, items, known)
    monkeypatch.setattr(readout, "PAIRS_AT_ONCE", 3)
    monkeypatch.setattr(readout, "PROFILES_AT_ONCE", 2)
    assert_array_equal(found.predict(MATRIX, rows, items, known), whole)
