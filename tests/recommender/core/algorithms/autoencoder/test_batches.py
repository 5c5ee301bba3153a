"""Plans of a pass: every rating is withheld exactly once, whatever the sizes and processes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.core.algorithms.autoencoder.batches import PassPlan
from tests.recommender.core.matrices import random_ratings

RATINGS = random_ratings(2, n_users=20, n_items=15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 20))
def test_every_rating_is_withheld_exactly_once_per_pass(seed, per_user, n_profiles):
    rows = np.sort(np.random.default_rng(seed).integers(0, 8, 40))
    plan = PassPlan.draw(rows, np.arange(40), per_user, np.random.default_rng(seed))
    seen = []
    for batch in plan.batches(n_profiles, np.arange(3), np.random.default_rng(seed)):
        assert np.array_equal(rows[batch.withheld], batch.users[batch.profile_of])
        assert np.bincount(batch.profile_of).max() <= per_user
        seen.extend(batch.withheld.tolist())
    assert sorted(seen) == list(range(40))


def test_passes_differ_in_what_is_withheld_together():
    rows = np.repeat(np.arange(4), 10)
    plans = [PassPlan.draw(rows, np.arange(40), 5, np.random.default_rng(seed)) for seed in (0, 1)]
    assert plans[0].ratings.tolist() != plans[1].ratings.tolist()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_the_shares_of_all_processes_are_the_whole_batch(size):
    rows = RATINGS.rows()
    plan = PassPlan.draw(rows, np.arange(len(rows)), 3, np.random.default_rng(0))
    for batch in plan.batches(5, np.arange(15), np.random.default_rng(0), 2):
        shares = [batch.share(rank, size) for rank in range(size)]
        assert np.array_equal(np.concatenate([s.withheld for s in shares]), batch.withheld)
        assert np.array_equal(np.concatenate([s.drawn for s in shares]), batch.drawn)
        users = np.concatenate([s.users[s.profile_of] for s in shares])
        assert np.array_equal(users, batch.users[batch.profile_of])
        firsts = np.cumsum([0, *(len(s.withheld) for s in shares)])
        assert [s.first_example for s in shares] == firsts[:-1].tolist()
        assert {s.all_examples for s in shares} == {len(batch.withheld)}
