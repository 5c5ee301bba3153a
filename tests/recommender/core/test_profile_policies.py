from dataclasses import replace

import numpy as np
import pytest

from recommender.core import profile_policies
from recommender.core.errors import ConfigurationError
from recommender.core.profile_policies import POLICIES, profile_blocks, profile_keys
from recommender.core.ratings import Ratings
from recommender.core.splitting import split
from tests.recommender.core.matrices import HALF_STARS, random_ratings


def one_user(times, n_train):
    """A user who rated item t - 1 with t / 2 stars at ``times[t - 1]``; the last are tested."""
    n = len(times)
    ratings = Ratings.from_triples(
        np.zeros(n, int),
        np.arange(n),
        np.arange(1, n + 1) / 2,
        scale=HALF_STARS,
        timestamps=np.asarray(times),
    )
    return split(replace(ratings, folds={"u1": np.arange(n) >= n_train}), "official-u1")


def blocks_of(parts, policy):
    asked = np.arange(len(parts.test_rows))
    return profile_blocks(parts, policy, asked, most_pairs=100, most_profiles=100)


def built(parts, policy):
    """The profile of each test rating as a dense row."""
    rows = np.empty((len(parts.test_rows), parts.train.n_items))
    for block in blocks_of(parts, policy):
        rows[block.pairs] = block.profiles.toarray()[block.rows]
    return rows.tolist()


def test_history_ends_before_the_target_and_leaves_out_what_was_rated_with_it():
    parts = one_user([1, 5, 5, 9], n_train=1)
    assert built(parts, "history") == [[0.5, 0, 0, 0], [0.5, 0, 0, 0], [0.5, 1, 1.5, 0]]


def test_all_but_target_holds_later_ratings_too():
    parts = one_user([1, 5, 5, 9], n_train=1)
    assert built(parts, "all-but-target") == [[0.5, 0, 1.5, 2], [0.5, 1, 0, 2], [0.5, 1, 1.5, 0]]


def test_the_training_profiles_are_not_copied():
    parts = one_user([1, 2, 3], n_train=2)
    (block,) = blocks_of(parts, "train-only")
    assert block.profiles is None
    assert block.rows.tolist() == [0]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("most_pairs", "most_profiles", "most_entries"),
    [(1, 99, 10**6), (7, 99, 10**6), (10**6, 99, 20), (10**6, 3, 10**6)],
)
def test_blocks_hold_each_pair_once_and_divide_no_profile(
    policy, most_pairs, most_profiles, most_entries, monkeypatch
):
    monkeypatch.setattr(profile_policies, "MOST_ENTRIES", most_entries)
    parts = split(random_ratings(4, n_users=20, n_items=15), "random-90-10")
    asked = np.arange(len(parts.test_rows))[::-1]
    limits = {"most_pairs": most_pairs, "most_profiles": most_profiles}
    blocks = list(profile_blocks(parts, policy, asked, **limits))
    assert sorted(np.concatenate([block.pairs for block in blocks])) == sorted(asked)
    keys = [set(profile_keys(parts, policy)[block.pairs]) for block in blocks]
    assert sum(map(len, keys)) == len(set.union(*keys))
    if policy != "train-only":
        assert all(block.profiles.shape[0] <= most_profiles for block in blocks)
        assert all(
            block.profiles.nnz <= most_entries or block.profiles.shape[0] == 1 for block in blocks
        )


def test_profiles_are_sorted_by_item():
    parts = split(random_ratings(4, n_users=20, n_items=15), "random-90-10")
    for block in blocks_of(parts, "all-but-target"):
        assert block.profiles.has_canonical_format


def test_history_without_time_stamps_is_refused():
    parts = split(replace(random_ratings(1), timestamps=None), "random-90-10")
    assert len(profile_keys(parts, "all-but-target")) == len(parts.test_rows)
    with pytest.raises(ConfigurationError, match="all-but-target"):
        profile_keys(parts, "history")


def test_an_unknown_policy_is_refused():
    parts = split(random_ratings(1), "random-90-10")
    with pytest.raises(ConfigurationError, match="train-only, history, all-but-target"):
        profile_keys(parts, "half")
