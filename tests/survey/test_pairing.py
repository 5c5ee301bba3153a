"""Lots: who gets which question, and which arm stands left."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import pairing
from survey.pairing import Stream, generator

seeds = st.integers(0, 2**63 - 1)


@given(seeds, st.integers(1, 60))
def test_each_side_gets_half_and_the_odd_one_goes_either_way(seed, count):
    sides = pairing.choose_sides(count, np.random.default_rng(seed))
    assert len(sides) == count
    assert abs(2 * sum(sides) - count) == count % 2


@given(seeds, st.integers(1, 12), st.data())
def test_chosen_questions_differ_and_none_left_out_was_assigned_less(seed, wanted, data):
    assigned = dict(enumerate(data.draw(st.lists(st.integers(0, 3), min_size=wanted, max_size=30))))
    chosen = pairing.choose_questions(assigned, wanted, np.random.default_rng(seed))
    assert len(chosen) == len(set(chosen)) == wanted
    left_out = [assigned[question] for question in assigned if question not in chosen]
    assert max(assigned[question] for question in chosen) <= min(left_out, default=3)


@given(seeds, st.integers(1, 20), st.integers(0, 15), st.integers(1, 12))
def test_appraiser_after_appraiser_no_question_gets_two_ahead(seed, wanted, spare, appraisers):
    assigned = dict.fromkeys(range(wanted + spare), 0)
    for number in range(appraisers):
        rng = generator(seed, Stream.APPRAISER, 0, number)
        for question in pairing.choose_questions(assigned, wanted, rng):
            assigned[question] += 1
    assert max(assigned.values()) - min(assigned.values()) <= 1


def test_too_few_questions_are_an_error():
    with pytest.raises(ValueError, match="only 2"):
        pairing.choose_questions({1: 0, 2: 0}, 3, np.random.default_rng(0))


def test_a_question_that_is_behind_is_not_always_asked_first():
    behind = {question: int(question != 7) for question in range(15)}
    places = {
        pairing.choose_questions(behind, 15, np.random.default_rng(seed)).index(7)
        for seed in range(200)
    }
    assert places == set(range(15))


def test_the_next_side_cannot_be_told_from_the_one_before():
    repeats = Counter()
    for number in range(2000):
        sides = pairing.choose_sides(15, generator(1, Stream.APPRAISER, 0, number))
        repeats.update(a == b for a, b in pairwise(sides))
    # A shuffled half-and-half repeats a side in 7 of 15 steps; an alternating one never.
    assert repeats[True] / repeats.total() == pytest.approx(7 / 15, abs=0.01)


def test_every_place_has_the_first_arm_on_the_left_half_of_the_time():
    drawn = [pairing.choose_sides(15, generator(5, Stream.APPRAISER, 0, n)) for n in range(2000)]
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
