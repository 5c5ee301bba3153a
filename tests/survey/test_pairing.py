"""Lots: who gets which question, and which arm stands left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import pairing
from survey.pairing import Pool, Standing, Stream, choose_sides, generator

seeds = st.integers(0, 2**63 - 1)


def standings(count, per_profile=1):
    return [Standing(key, profile=key // per_profile) for key in range(count)]


def work_off(pool):
    """Whoever comes takes up to five questions, until nobody can be asked anything."""
    people = []
    while chosen := pool.choose(5, generator(3, Stream.APPRAISER, len(people))):
        people.append(chosen)
    return people


@given(seeds, st.integers(1, 12), st.data())
def test_chosen_questions_differ_and_none_left_out_was_given_less(seed, wanted, data):
    given = data.draw(st.lists(st.integers(0, 3), min_size=wanted, max_size=30))
    pool = Pool([Standing(key, key, count) for key, count in enumerate(given)], capacity=None)
    chosen = pool.choose(wanted, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen)) == wanted
    left_out = [count for key, count in enumerate(given) if key not in chosen]
    assert max(given[key] for key in chosen) <= min(left_out, default=3)


@given(seeds, st.integers(1, 20), st.integers(0, 15), st.integers(1, 12))
def test_without_dropouts_everybody_gets_the_same_number(seed, wanted, spare, quota):
    pool = Pool(standings(wanted + spare), capacity=quota * wanted)
    for number in range(quota):
        assert len(pool.choose(wanted, generator(seed, Stream.APPRAISER, 0, number))) == wanted
        assert max(pool.given.values()) - min(pool.given.values()) <= 1
    assert pool.free == 0
    assert pool.choose(wanted, np.random.default_rng(seed)) == []


@given(st.integers(1, 40), st.integers(1, 3), st.integers(0, 200))
def test_a_pool_that_is_worked_off_gave_every_question_its_share(count, per_profile, capacity):
    pool = Pool(standings(count, per_profile), capacity=capacity)
    people = work_off(pool)
    shares = [capacity // count + (place < capacity % count) for place in range(count)]
    assert sorted(pool.given.values()) == sorted(shares)
    assert pool.free == 0
    for chosen in people:
        assert len({pool.standings[key].profile for key in chosen}) == len(chosen)


def test_a_profile_with_several_questions_is_asked_about_as_evenly_as_the_others():
    pool = Pool(standings(36, per_profile=3), capacity=6 * 12)
    assert [len(pool.choose(12, generator(5, Stream.APPRAISER, n))) for n in range(6)] == [12] * 6
    assert set(pool.given.values()) == {2}


def test_nothing_is_taken_from_a_profile_that_was_met():
    pool = Pool(standings(6, per_profile=2), capacity=60)
    assert {key // 2 for key in pool.choose(6, np.random.default_rng(0), without={1})} == {0, 2}


def test_a_question_that_is_behind_is_not_always_asked_first():
    behind = [Standing(key, key, int(key != 7)) for key in range(15)]
    places = {
        Pool(behind, capacity=None).choose(15, np.random.default_rng(seed)).index(7)
        for seed in range(200)
    }
    assert places == set(range(15))


# -- sides -------------------------------------------------------------------------------------


def sides(count, rng, **standing):
    return choose_sides([Standing(key, key, **standing) for key in range(count)], rng)


@given(seeds, st.integers(1, 60))
def test_sides_are_balanced_wherever_an_appraiser_stops_and_the_odd_one_is_random(seed, count):
    asked = sides(count, np.random.default_rng(seed))
    assert sorted(one.question for one in asked) == list(range(count))
    balance = np.cumsum([1 if one.first_left else -1 for one in asked])
    assert set(abs(balance).tolist()) <= {0, 1}


def test_the_odd_question_is_on_a_random_side():
    rng = np.random.default_rng(0)
    assert {sum(one.first_left for one in sides(15, rng)) for _ in range(50)} == {7, 8}


@given(seeds, st.lists(st.integers(0, 6), min_size=1, max_size=20))
def test_the_first_arm_is_on_the_left_where_it_was_less_often(seed, lefts):
    met = [Standing(key, key, given=6, first_left=count) for key, count in enumerate(lefts)]
    asked = {one.question: one.first_left for one in choose_sides(met, np.random.default_rng(seed))}
    left = [count for key, count in enumerate(lefts) if asked[key]]
    right = [count for key, count in enumerate(lefts) if not asked[key]]
    assert max(left, default=0) <= min(right, default=6)
    if len(lefts) == 1 and lefts[0] != 3:
        assert asked[0] == (lefts[0] < 3)


def test_person_after_person_each_question_has_its_arms_about_equally_often_on_the_left():
    pool = Pool(standings(20), capacity=None)
    left = dict.fromkeys(range(20), 0)
    for number in range(40):
        rng = generator(1, Stream.APPRAISER, number)
        before = dict(pool.given)
        chosen = pool.choose(15, rng)
        met = [Standing(key, key, before[key], left[key]) for key in chosen]
        for one in choose_sides(met, rng):
            left[one.question] += one.first_left
    assert max(abs(2 * left[key] - pool.given[key]) for key in left) <= 2


def test_every_place_has_the_first_arm_on_the_left_half_of_the_time():
    drawn = [
        [one.first_left for one in sides(15, generator(5, Stream.APPRAISER, 0, number))]
        for number in range(2000)
    ]
    assert np.mean(drawn, axis=0) == pytest.approx(np.full(15, 0.5), abs=0.05)


@given(seeds, st.integers(0, 40), st.integers(0, 60))
def test_the_pool_holds_eligible_users_once(seed, eligible, size):
    users = [3 * user for user in range(eligible)]
    pool = pairing.draw_pool(users, size, np.random.default_rng(seed))
    assert len(pool) == len(set(pool)) == min(size, eligible)
    assert set(pool) <= set(users)
    assert all(type(user) is int for user in pool)


@given(seeds, st.integers(0, 2), st.integers(0, 10_000))
def test_draws_repeat_for_one_appraiser_and_differ_from_every_neighbour(seed, kind, number):
    def draw(*which):
        return generator(*which).integers(2**63, size=2).tolist()

    own = draw(seed, Stream.APPRAISER, kind, number)
    assert own == draw(seed, Stream.APPRAISER, kind, number)
    others = [
        draw(seed, Stream.APPRAISER, kind, number + 1),
        draw(seed, Stream.APPRAISER, kind + 1, number),
        draw(seed, Stream.SIMULATION, kind, number),
        draw(seed + 1, Stream.APPRAISER, kind, number),
        draw(seed, Stream.APPRAISER),
    ]
    assert own not in others


@given(
    st.integers(1, 10),
    st.lists(st.sets(st.integers(0, 9)), max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_no_pair_is_ever_two_questions_ahead_of_another(pairs, profiles, seed):
    rng = pairing.generator(seed, pairing.Stream.PAIRS)
    counts = [0] * pairs
    for possible in profiles:
        open_pairs = sorted(place for place in possible if place < pairs)
        chosen = pairing.pick_pair(counts, open_pairs, rng)
        behind = [place for place in open_pairs if counts[place] == min(counts)]
        assert chosen in behind if behind else chosen is None
        if chosen is not None:
            counts[chosen] += 1
        assert max(counts) - min(counts) <= 1
