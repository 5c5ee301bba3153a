from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.core.errors import ConfigurationError
from recommender.core.labels import collect_labels, genre_labels
from recommender.core.ratings import Ratings
from recommender.core.splitting import (
    NAMES,
    cold_sentence,
    labels_before,
    newest_slice,
    protocols_of,
    split,
)
from tests.recommender.core.matrices import HALF_STARS, random_ratings


def timed(times, users=None, items=None) -> Ratings:
    n = len(times)
    users = np.arange(n) if users is None else users
    items = np.zeros(n, int) if items is None else items
    return Ratings.from_triples(
        users, items, np.full(n, 3.0), scale=HALF_STARS, timestamps=np.asarray(times)
    )


def test_the_oldest_nine_tenths_train():
    parts = split(timed(np.arange(100)[::-1]), "time-90-10")
    assert parts.train.n_ratings == 90
    assert parts.train.timestamps.max() == 89
    assert sorted(parts.test_rows) == list(range(10))  # user 0 rated last
    assert parts.facts["cut"] == 90


def test_all_ratings_with_the_time_stamp_of_the_cut_are_tested():
    parts = split(timed([1] * 85 + [2] * 10 + [3] * 5), "time-90-10")
    assert parts.train.n_ratings == 85
    assert parts.facts["cut"] == 2
    assert parts.facts["n_at_cut"] == 10
    assert parts.facts["tie_rule"]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["time-90-10", "random-90-10"]))
def test_every_rating_is_on_exactly_one_side(seed, name):
    ratings = replace(random_ratings(seed), timestamps=None)
    ratings = replace(
        ratings, timestamps=np.random.default_rng(seed).permutation(ratings.n_ratings)
    )
    if ratings.n_ratings < 2:
        return
    parts = split(ratings, name, seed)
    train = set(zip(parts.train.rows(), parts.train.indices, strict=True))
    test = set(zip(parts.test_rows, parts.test_items, strict=True))
    assert not train & test
    assert train | test == set(zip(ratings.rows(), ratings.indices, strict=True))
    assert len(test) == ratings.n_ratings - 9 * ratings.n_ratings // 10
    dense = ratings.matrix().toarray()
    assert np.array_equal(dense[parts.test_rows, parts.test_items], parts.test_values)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_no_training_rating_is_as_new_as_a_test_rating(seed):
    ratings = random_ratings(seed)
    if ratings.timestamps.min() == np.sort(ratings.timestamps)[9 * ratings.n_ratings // 10]:
        return
    parts = split(ratings, "time-90-10")
    times = dict(
        zip(zip(ratings.rows(), ratings.indices, strict=True), ratings.timestamps, strict=True)
    )
    newest = parts.train.timestamps.max()
    tested = zip(parts.test_rows, parts.test_items, strict=True)
    assert all(times[pair] > newest for pair in tested)


def test_test_ratings_of_users_and_items_without_training_ratings_are_counted():
    ratings = timed(
        np.arange(20),
        users=[0] * 9 + [1] * 9 + [0, 2],
        items=[*range(9), *range(9), 9, 8],
    )
    facts = split(ratings, "time-90-10").facts
    assert (facts["n_train"], facts["n_test"]) == (18, 2)
    assert facts["cold_share"] == 0.5  # user 2 is new
    assert facts["n_test_warm_user"] == 1
    assert facts["n_test_warm_item"] == 1  # item 9 is new
    assert facts["n_test_warm_both"] == 0
    assert (facts["n_test_users"], facts["n_cold_test_users"]) == (2, 1)


def test_random_splits_follow_their_seed():
    ratings = random_ratings(1, n_users=40, n_items=40)
    same = [split(ratings, "random-90-10", seed).test_items.tolist() for seed in (0, 0, 1)]
    assert same[0] == same[1] != same[2]


def test_an_official_fold_holds_the_test_ratings_that_the_source_names():
    ratings = random_ratings(1)
    fold = np.arange(ratings.n_ratings) % 5 == 0
    parts = split(replace(ratings, folds={"u1": fold}), "official-u1")
    assert np.array_equal(parts.test_items, ratings.indices[fold])
    assert np.array_equal(parts.train.values, ratings.values[~fold])


def rated_by(*users_and_times):
    """The ratings (user, time), each of an item of its own."""
    users, times = zip(*users_and_times, strict=True)
    return timed(times, users=list(users), items=np.arange(len(users)))


def times_tested(parts):
    """The time stamps of the test ratings of each user."""
    found = {}
    for user, time in zip(parts.test_rows.tolist(), parts.test_times.tolist(), strict=True):
        found.setdefault(user, []).append(time)
    return {user: sorted(times) for user, times in found.items()}


def test_the_newest_tenth_of_each_user_is_tested_with_its_ties():
    ratings = rated_by(*((0, time) for time in range(20)), *((1, t) for t in [5, 5, 6, 8, 8, 8]))
    assert times_tested(split(ratings, "user-time-90-10")) == {0: [18, 19], 1: [8, 8, 8]}


def test_nobody_becomes_unknown_by_the_newest_tenth():
    ratings = rated_by((0, 1), (0, 2), (1, 7), (2, 4), (2, 4))
    parts = split(ratings, "user-time-90-10")
    assert times_tested(parts) == {0: [2]}
    assert parts.facts["cold_share"] == 0


def test_the_last_rating_of_each_user_with_two_is_tested():
    ratings = rated_by((0, 9), (0, 3), (2, 1), (3, 5), (3, 6), (3, 2))
    assert times_tested(split(ratings, "leave-last-out")) == {0: [9], 3: [6]}


def test_one_of_several_last_ratings_is_drawn_with_the_seed():
    ratings = rated_by(*((user, 1) for user in range(30) for _ in range(4)))
    drawn = [split(ratings, "leave-last-out", seed).test_items.tolist() for seed in (0, 0, 1)]
    assert len(drawn[0]) == 30
    assert drawn[0] == drawn[1] != drawn[2]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["user-time-90-10", "leave-last-out"]))
def test_no_training_rating_of_a_user_is_newer_than_their_test_ratings(seed, name):
    ratings = random_ratings(seed, n_users=15, n_items=12)
    parts = split(ratings, name, seed)
    for user, times in times_tested(parts).items():
        kept = parts.train.timestamps[parts.train.indptr[user] : parts.train.indptr[user + 1]]
        assert len(kept) > 0
        assert kept.max() < times[0] if name == "user-time-90-10" else kept.max() <= times[0]


def test_the_probe_of_the_netflix_prize_is_an_official_fold():
    ratings = random_ratings(1)
    probe = np.arange(ratings.n_ratings) % 4 == 0
    parts = split(replace(ratings, folds={"probe": probe}), "netflix-probe")
    assert np.array_equal(parts.test_items, ratings.indices[probe])


def test_supported_protocols_are_listed_and_the_others_with_the_reason():
    ratings = replace(random_ratings(1), folds={"u1": np.arange(random_ratings(1).n_ratings) < 5})
    found = protocols_of(ratings)
    assert list(found) == list(NAMES)
    by_time = {"time-90-10", "user-time-90-10", "leave-last-out"}
    assert {name for name, reason in found.items() if not reason} == {
        "random-90-10", "official-u1", *by_time,
    }  # fmt: skip
    assert "probe" in found["netflix-probe"]
    without_times = protocols_of(replace(ratings, timestamps=None))
    assert {name for name in found if not found[name] and without_times[name]} == by_time
    assert "training ratings" in protocols_of(timed([7] * 30))["time-90-10"]


def test_a_split_of_mostly_unknown_users_names_the_protocol_for_known_ones():
    facts = {"name": "time-90-10", "cold_share": 0.835}
    assert "83.5%" in cold_sentence(facts)
    assert "user-time-90-10" in cold_sentence(facts)
    assert cold_sentence({**facts, "cold_share": 0.5}) == ""


@pytest.mark.parametrize(
    ("ratings", "name", "named"),
    [
        (replace(random_ratings(1), timestamps=None), "time-90-10", "random-90-10"),
        (random_ratings(1), "official-u1", "'u1'"),
        (random_ratings(1), "fortnightly", "time-90-10, random-90-10"),
        (timed([7] * 30), "time-90-10", "training"),
        (timed([]), "time-90-10", "test"),
        (timed([5]), "random-90-10", "training"),
    ],
)
def test_an_impossible_split_is_refused_with_the_reason(ratings, name, named):
    with pytest.raises(ConfigurationError, match=named):
        split(ratings, name)


def test_the_newest_slice_is_the_newest_share_and_its_ties():
    times = np.array([5, 1, 9, 2, 8, 3, 8, 4, 6, 7])
    assert np.flatnonzero(newest_slice(timed(times), 0.2, 0)).tolist() == [2, 4, 6]


def test_without_time_stamps_the_slice_is_drawn_with_the_seed():
    ratings = replace(timed(np.arange(50)), timestamps=None)
    slices = [newest_slice(ratings, 0.2, seed) for seed in (0, 0, 1)]
    assert [chosen.sum() for chosen in slices] == [10, 10, 10]
    assert np.array_equal(slices[0], slices[1])
    assert not np.array_equal(slices[0], slices[2])


@pytest.mark.parametrize("times", [[1] * 10, [1]])
def test_a_slice_of_everything_is_refused(times):
    with pytest.raises(ConfigurationError, match="patience=0"):
        newest_slice(timed(times), 0.1, 0)


def labelled(ratings: Ratings) -> Ratings:
    tags = collect_labels([(0, "early", 5), (0, "at the cut", 90), (0, "late", 99)], timed=True)
    return replace(ratings, labels={"tags": tags, "genres": genre_labels([(0, ["War"])])})


def test_labels_given_at_the_cut_or_later_are_not_trained_with():
    train = split(labelled(timed(np.arange(100))), "time-90-10").train
    assert train.labels["tags"].matrix(1).sum() == 1
    assert train.labels["tags"].times.tolist() == [5]


def test_labels_without_times_are_trained_with():
    assert labels_before(labelled(timed([1])), 0).labels["genres"].matrix(1).sum() == 1


def test_a_random_split_keeps_all_labels():
    train = split(labelled(timed(np.arange(100))), "random-90-10").train
    assert train.labels["tags"].matrix(1).sum() == 3
