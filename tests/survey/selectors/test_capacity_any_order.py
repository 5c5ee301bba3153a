"""The pool under any order of joining, answering, leaving, coming back, failing and withdrawing."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from survey.pairing import (
    REPEAT_AFTER,
    Asked,
    Pool,
    Standing,
    choose_others,
    choose_sides,
    order_turns,
    resume,
)

which = st.integers(0, 2**16)


@dataclass
class Person:
    waiting: list[Asked]
    answered: list[Asked] = field(default_factory=list)
    away: bool = False
    failed: bool = False

    @property
    def counted(self) -> list[Asked]:
        """What keeps a place in the pool."""
        if self.failed:
            return []
        return self.answered + ([] if self.away else self.waiting)


class Study(RuleBasedStateMachine):
    """A study as the services run it, without a database."""

    @initialize(
        seed=which,
        profiles=st.integers(3, 8),
        pairs=st.sampled_from([1, 3]),
        wanted=st.integers(1, 6),
        capacity=st.integers(1, 40),
    )
    def prepare(self, seed, profiles, pairs, wanted, capacity):
        self.rng = np.random.default_rng(seed)
        self.profiles = {key: key // pairs for key in range(profiles * pairs)}
        self.wanted, self.capacity = wanted, capacity
        self.people: list[Person] = []

    def pool(self) -> Pool:
        counted = [asked for person in self.people for asked in person.counted]
        given = Counter(asked.question for asked in counted)
        left = Counter(asked.question for asked in counted if asked.first_left)
        standings = [
            Standing(key, profile, given[key], left[key]) for key, profile in self.profiles.items()
        ]
        return Pool(standings, capacity=self.capacity)

    def somebody(self, number: int, **state: bool) -> Person | None:
        fitting = [
            person
            for person in self.people
            if person.waiting and all(getattr(person, name) == state[name] for name in state)
        ]
        return fitting[number % len(fitting)] if fitting else None

    @rule()
    def join(self):
        pool = self.pool()
        free = pool.free
        chosen = pool.choose(self.wanted, self.rng)
        assert bool(chosen) == (free > 0)
        if chosen:
            met = [pool.standings[key] for key in chosen]
            self.people.append(Person(choose_sides(met, self.rng)))

    @rule(number=which, answers=st.integers(1, 4))
    def answer(self, number, answers):
        if person := self.somebody(number, away=False):
            person.answered += person.waiting[:answers]
            person.waiting = person.waiting[answers:]

    @rule(number=which)
    def fall_silent(self, number):
        if person := self.somebody(number, away=False):
            person.away = True

    @rule(number=which)
    def come_back(self, number):
        if person := self.somebody(number, away=True):
            self.take_up(person)

    @rule(number=which)
    def send_a_late_answer(self, number):
        if person := self.somebody(number, away=True):
            shown = person.waiting[0]
            self.take_up(person)
            if not person.away and person.waiting[:1] == [shown]:
                person.answered.append(person.waiting.pop(0))

    def take_up(self, person: Person) -> None:
        plan = resume(
            self.pool(),
            person.waiting,
            self.rng,
            answered=[asked.first_left for asked in person.answered],
            without={self.profiles[asked.question] for asked in person.answered},
        )
        if any(plan) or person.answered:
            person.waiting, person.away = [asked for asked in plan if asked], False

    @precondition(lambda self: self.people)
    @rule(number=which)
    def fail(self, number):
        person = self.people[number % len(self.people)]
        person.failed = person.failed or not person.waiting

    @precondition(lambda self: self.people)
    @rule(number=which)
    def withdraw(self, number):
        self.people.pop(number % len(self.people))

    @invariant()
    def no_question_is_above_its_share(self):
        pool = self.pool()
        assert max(pool.given.values()) <= pool.floor + bool(pool.extras)
        assert sum(given > pool.floor for given in pool.given.values()) <= pool.extras
        assert pool.free == self.capacity - sum(pool.given.values())

    @invariant()
    def nobody_meets_a_profile_twice(self):
        for person in self.people:
            kept = person.answered + ([] if person.away else person.waiting)
            met = [self.profiles[asked.question] for asked in kept]
            assert len(met) == len(set(met))

    @invariant()
    def sides_are_within_one_of_balance_wherever_somebody_stopped(self):
        for person in self.people:
            left = sum(asked.first_left for asked in person.answered)
            assert abs(2 * left - len(person.answered)) <= 1

    def teardown(self):
        """Worked off: those who are there answer all, and others come until no place is free."""
        for _ in range(self.capacity + 1):
            self.join()
        for person in self.people:
            if not person.away:
                person.answered, person.waiting = person.answered + person.waiting, []
        self.sides_are_within_one_of_balance_wherever_somebody_stopped()
        judged = Counter(
            asked.question for one in self.people if not one.failed for asked in one.answered
        )
        floor, extras = divmod(self.capacity, len(self.profiles))
        shares = [floor + (place < extras) for place in range(len(self.profiles))]
        assert sorted(judged[key] for key in self.profiles) == sorted(shares)


Study.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestStudy = Study.TestCase


# -- coming back -------------------------------------------------------------------------------


def standings(*given):
    return [Standing(key, key, count) for key, count in enumerate(given)]


def asked(*questions):
    return [Asked(key, first_left=place % 2 == 0) for place, key in enumerate(questions)]


def test_a_question_that_is_still_wanted_is_asked_again():
    pool = Pool(standings(0, 0, 0), capacity=3)
    waiting = asked(2, 0)
    assert resume(pool, waiting, np.random.default_rng(0), answered=[]) == waiting
    assert pool.free == 1


def test_another_question_replaces_one_that_others_answered():
    pool = Pool(standings(1, 0, 0, 0), capacity=4)
    replaced, kept = resume(pool, asked(0, 2), np.random.default_rng(0), answered=[], without={1})
    assert replaced == Asked(3, True)
    assert kept == Asked(2, False)


def test_full_questions_are_dropped_and_the_sides_stay_balanced():
    pool = Pool(standings(1, 1, 1, 0), capacity=4)
    waiting = [Asked(0, False), Asked(1, True), Asked(2, False), Asked(3, True)]
    again = resume(pool, waiting, np.random.default_rng(0), answered=[True])
    assert again == [None, None, None, Asked(3, False)]


# -- the other kinds, and the order ------------------------------------------------------------


def test_other_kinds_of_questions_have_profiles_of_their_own():
    profiles = {key: key // 2 for key in range(12)}
    others = choose_others(profiles, 4, np.random.default_rng(1), without={0, 5})
    assert sorted(profiles[one.question] for one in others) == [1, 2, 3, 4]


def test_too_few_others_are_an_error():
    with np.testing.assert_raises_regex(ValueError, "only 1"):
        choose_others({0: 0, 1: 1}, 2, np.random.default_rng(0), without={1})


def drawn_orders():
    """Numbers of main questions, checks and repeats with ten orders of each."""
    for main, checks, repeats in [(15, 2, 2), (15, 0, 15), (6, 3, 6), (2, 1, 1), (1, 2, 1)]:
        for seed in range(10):
            rng = np.random.default_rng(seed)
            yield main, checks, repeats, order_turns(main, checks, repeats, rng)


def test_everything_is_asked_once_and_main_questions_in_their_order():
    for main, checks, repeats, turns in drawn_orders():
        assert Counter(turn.kind for turn in turns) == Counter(
            {"main": main, "check": checks, "repeat": repeats}
        )
        assert [turn.which for turn in turns if turn.kind == "main"] == list(range(main))
        assert len(set(turns)) == len(turns)


def test_a_check_is_never_first_and_comes_between_main_questions():
    for main, checks, _, turns in drawn_orders():
        kinds = [turn.kind for turn in turns]
        assert kinds[0] == "main"
        if checks and main > 1:
            assert "main" in kinds[-kinds[::-1].index("check") :]


def test_a_question_is_asked_again_some_questions_later():
    for main, _, _, turns in drawn_orders():
        order = [turn for turn in turns if turn.kind != "check"]
        for place, turn in enumerate(order):
            if turn.kind == "repeat":
                original = next(i for i, one in enumerate(order) if one.which == turn.which)
                assert place - original - 1 >= min(REPEAT_AFTER, main - 1)
