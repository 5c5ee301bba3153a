"""Draws questions, pairs of arms and sides; pure, the random generator is passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

#: At least this many other questions come before a repeat, if there are as many.
REPEAT_AFTER = 4


class Stream(IntEnum):
    """What a study's seed is used for; each use has its own random stream."""

    POOL = 0
    APPRAISER = 1
    SIMULATION = 2
    RETURN = 3
    PAIRS = 4


def generator(seed: int, stream: Stream, *which: int) -> Generator:
    """The generator for one use of a study's seed, such as the draws of one appraiser.

    ``which`` are non-negative numbers that separate the draws within a stream. Spawn keys keep
    them independent for every seed; a list of seeds would not ([5] and [5, 0] are the same).
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, *which)))


def draw_pool(eligible: ArrayLike, size: int, rng: Generator) -> list[int]:
    """At most ``size`` of the eligible users without repetition, in random order."""
    return [int(user) for user in rng.permutation(np.asarray(eligible, np.int64))[:size]]


# -- the pool: how often each question is given ----------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A question, its profile, and how often it was given.

    ``given`` counts answers and open assignments; in ``first_left`` of them the first arm is on
    the left.
    """

    question: int
    profile: int
    given: int = 0
    first_left: int = 0


class Pool:
    """How often each question is given, and which questions still have room.

    ``capacity`` is the number of judgments wanted of all questions together; None means no limit.
    Every question is given ``floor`` (capacity // questions) times, and at most ``extras`` (the
    remainder) of them once more. So no question exceeds its share, and once nothing is ``free``
    every question has it, in whatever order appraisers join, leave and come back.
    """

    def __init__(self, standings: Iterable[Standing], *, capacity: int | None) -> None:
        self.standings = {standing.question: standing for standing in standings}
        self.given = {key: standing.given for key, standing in self.standings.items()}
        self.capped = capacity is not None
        self.floor, self.extras = divmod(capacity or 0, max(1, len(self.standings)))
        self.above = sum(given > self.floor for given in self.given.values())

    def has_room(self, question: int) -> bool:
        """Whether the question may be given once more."""
        given = self.given[question]
        if not self.capped or given < self.floor:
            return True
        return given == self.floor and self.above < self.extras

    def take(self, question: int) -> None:
        self.given[question] += 1
        self.above += self.given[question] == self.floor + 1

    @property
    def free(self) -> int:
        """How many more judgments are wanted; 0 without a limit."""
        if not self.capped:
            return 0
        missing = sum(max(0, self.floor - given) for given in self.given.values())
        return missing + max(0, self.extras - self.above)

    def choose(self, wanted: int, rng: Generator, *, without: Collection[int] = ()) -> list[int]:
        """Draw and take up to ``wanted`` questions with room, on different profiles.

        Questions given least come first, then those whose profile is furthest behind; ties and
        the order of the result are random. Profiles in ``without`` are excluded. The result is
        shorter than ``wanted`` only if no other question has room.
        """
        behind: Counter[int] = Counter()
        for key, standing in self.standings.items():
            behind[standing.profile] += self.floor - self.given[key]
        drawn = [int(key) for key in rng.permutation(np.array(sorted(self.given), np.int64))]
        drawn.sort(key=lambda key: (self.given[key], -behind[self.standings[key].profile]))
        chosen: list[int] = []
        met = set(without)
        for key in drawn:
            if len(chosen) == wanted:
                break
            profile = self.standings[key].profile
            if profile not in met and self.has_room(key):
                met.add(profile)
                self.take(key)
                chosen.append(key)
        # Shuffled, because a question that is behind would otherwise always be asked early.
        return [chosen[place] for place in rng.permutation(len(chosen))]


# -- sides ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A question with its sides: ``first_left`` tells whether its first arm is on the left."""

    question: int
    first_left: bool

    def swapped(self) -> Asked:
        return Asked(self.question, not self.first_left)


def choose_sides(questions: Sequence[Standing], rng: Generator) -> list[Asked]:
    """The questions in a random order, each with its sides.

    The first arm is on the left in half of them (for an odd number the extra one is random): in
    the questions where it was there less often for other appraisers; ties are random. Each pair
    of successive questions has the first arm once on either side, in random order: wherever an
    appraiser stops, the sides of the answered questions differ by at most one.
    """
    drawn = [questions[place] for place in rng.permutation(len(questions))]
    drawn.sort(key=lambda one: 2 * one.first_left - one.given)
    half, odd = divmod(len(drawn), 2)
    if odd:
        middle = drawn[half]
        lean = 2 * middle.first_left - middle.given
        half += lean < 0 if lean else int(rng.integers(2))
    left = [Asked(one.question, True) for one in drawn[:half]]
    right = [Asked(one.question, False) for one in drawn[half:]]
    left, right = ([side[place] for place in rng.permutation(len(side))] for side in (left, right))
    order: list[Asked] = []
    for pair in zip(left, right, strict=False):
        order += pair if rng.integers(2) else pair[::-1]
    return order + left[len(right) :] + right[len(left) :]


def resume(
    pool: Pool,
    waiting: Sequence[Asked],
    rng: Generator,
    *,
    answered: Sequence[bool],
    without: Collection[int] = (),
) -> list[Asked | None]:
    """What to ask in place of each returned question, in order; None where nothing is left.

    A question that still has room is asked again. Otherwise another one takes its place, with the
    same sides, as long as any has room. ``answered`` tells for each answered main question whether
    the first arm was on the left; sides are swapped where they would otherwise be two out of
    balance. New questions avoid the profiles in ``without``. The result is taken from the pool.
    """
    again: dict[int, Asked] = {}
    for place, asked in enumerate(waiting):
        if pool.has_room(asked.question):
            pool.take(asked.question)
            again[place] = asked
    met = {pool.standings[asked.question].profile for asked in again.values()} | set(without)
    lost = [place for place in range(len(waiting)) if place not in again]
    others = pool.choose(len(lost), rng, without=met)
    for place, question in zip(lost, others, strict=False):
        again[place] = Asked(question, waiting[place].first_left)
    balance = sum(1 if first_left else -1 for first_left in answered)
    for place in sorted(again):
        if balance and again[place].first_left == (balance > 0):
            again[place] = again[place].swapped()
        balance += 1 if again[place].first_left else -1
    return [again.get(place) for place in range(len(waiting))]


# -- the other kinds of questions, and the order of all ------------------------------------------


def choose_others(
    profiles: dict[int, int], wanted: int, rng: Generator, *, without: Collection[int]
) -> list[Asked]:
    """Draw ``wanted`` questions with sides, on different profiles that are not in ``without``.

    ``profiles`` maps every question to its profile. Raises ValueError if there are too few.
    """
    met = set(without)
    chosen: list[Asked] = []
    for key in rng.permutation(np.array(sorted(profiles), np.int64)):
        if len(chosen) < wanted and profiles[int(key)] not in met:
            met.add(profiles[int(key)])
            chosen.append(Asked(int(key), bool(rng.integers(2))))
    if len(chosen) < wanted:
        raise ValueError(f"{wanted} questions are wanted, but only {len(chosen)} are left.")
    return chosen


@dataclass(frozen=True)
class Turn:
    """What one position asks: ``kind`` is main, check or repeat, ``which`` its number from 0.

    For a repeat ``which`` is the main question that is asked again.
    """

    kind: str
    which: int


def order_turns(main: int, checks: int, repeats: int, rng: Generator) -> list[Turn]:
    """The order of main questions, checks and repeats.

    Main questions keep their order. A check comes between two of them, or after a single one. A
    repeat comes after at least ``REPEAT_AFTER`` other main questions or repeats, if there are as
    many. Which questions are repeated, and where, is random.
    """
    gap = min(REPEAT_AFTER, main - 1)
    early = max(repeats, main - gap)
    again = sorted(int(which) for which in rng.permutation(early)[:repeats])
    after: dict[int, list[Turn]] = {place: [] for place in range(main)}
    for which in again:
        # Late ones go to the end, in their order, so that the others come between.
        place = int(rng.integers(which + gap, main)) if which + gap < main else main - 1
        after[place].append(Turn("repeat", which))
    breaks = max(1, main - 1)
    drawn = rng.permutation(breaks)
    for which in range(checks):
        after[int(drawn[which % breaks])].insert(0, Turn("check", which))
    turns: list[Turn] = []
    for place in range(main):
        turns += [Turn("main", place), *after[place]]
    return turns


# -- more than two arms ----------------------------------------------------------------------------


def pick_pair(asked: Sequence[int], possible: Sequence[int], rng: Generator) -> int | None:
    """A random pair of arms among the ``possible`` ones that were asked least; None without one.

    ``asked`` counts the questions of every pair. Only pairs with the lowest count of all are
    drawn, so that no pair is ever two questions ahead of another.
    """
    least = min(asked)
    behind = [place for place in possible if asked[place] == least]
    return behind[int(rng.integers(len(behind)))] if behind else None
