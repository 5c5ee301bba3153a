"""Which questions an appraiser gets and which arm stands left; pure, the generator is passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike

#: So many other questions lie at least between a question and its repetition, where there are.
REPEAT_AFTER = 4


class Stream(IntEnum):
    """What a study's seed is used for; each use draws from numbers of its own."""

    POOL = 0
    APPRAISER = 1
    SIMULATION = 2
    RETURN = 3
    PAIRS = 4


def generator(seed: int, stream: Stream, *which: int) -> Generator:
    """The generator of one use of a study's seed, such as one appraiser's.

    ``which`` are non-negative numbers that tell the draws of one stream apart. Spawn keys keep
    them apart whatever the seed; a list of seeds would not ([5] and [5, 0] are the same).
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, *which)))


def draw_pool(eligible: ArrayLike, size: int, rng: Generator) -> list[int]:
    """At most ``size`` of the eligible users without repetition, in the order they are tried."""
    return [int(user) for user in rng.permutation(np.asarray(eligible, np.int64))[:size]]


# -- the pool: how often each question is still wanted -------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A question, its profile, and how it stands: completed plus active work on it.

    ``given`` times it was answered or is being asked, in ``first_left`` of them with its first
    arm on the left.
    """

    question: int
    profile: int
    given: int = 0
    first_left: int = 0


class Pool:
    """How often every question is given, and where there is room for once more.

    ``capacity`` judgments are wanted of all questions together; None: no end of them. A question
    is given ``floor`` (capacity // questions) times, and at most ``extras`` (the remainder) of
    them once more. So no question is ever above its share, and when nothing is ``free`` every one
    has it, whatever the order in which people came, left and came back.
    """

    def __init__(self, standings: Iterable[Standing], *, capacity: int | None) -> None:
        self.standings = {standing.question: standing for standing in standings}
        self.given = {key: standing.given for key, standing in self.standings.items()}
        self.capped = capacity is not None
        self.floor, self.extras = divmod(capacity or 0, max(1, len(self.standings)))
        self.above = sum(given > self.floor for given in self.given.values())

    def room(self, question: int) -> bool:
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
        """How many more judgments are wanted; 0 where there is no end of them."""
        if not self.capped:
            return 0
        missing = sum(max(0, self.floor - given) for given in self.given.values())
        return missing + max(0, self.extras - self.above)

    def choose(self, wanted: int, rng: Generator, *, without: Collection[int] = ()) -> list[int]:
        """Up to ``wanted`` questions with room, on different profiles, and takes them.

        Those given least come first; of equals those whose profile is furthest behind; ties and
        the order are drawn. ``without`` are profiles that must not be among them. Fewer than
        ``wanted`` only where no other question has room.
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
            if profile not in met and self.room(key):
                met.add(profile)
                self.take(key)
                chosen.append(key)
        # Drawn once more: otherwise a question that is behind would always be asked early.
        return [chosen[place] for place in rng.permutation(len(chosen))]


# -- sides ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """A question as it is asked: whether its first arm stands on the left."""

    question: int
    first_left: bool

    def swapped(self) -> Asked:
        return Asked(self.question, not self.first_left)


def choose_sides(questions: Sequence[Standing], rng: Generator) -> list[Asked]:
    """The questions in the order in which they are asked, each with its sides.

    The first arm stands left in half of them (the odd one is drawn): in those where it did so
    less often for others, as far as half of them are; ties are drawn. Of the first and second
    question one has the first arm left, of the third and fourth too, and so on, in an order that
    is drawn: whenever somebody stops, the sides of what was answered are within one of balance.
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
    """What is asked in the place of each question that was given back; None: nothing more.

    A question that still has room is asked again; for another one takes its place, with the same
    sides, as long as any has room. ``answered`` holds, for each main question that was answered,
    whether the first arm stood left; sides are swapped where those asked in this order would
    otherwise be two out of balance. ``without`` are profiles that no new question may have. What
    is asked is taken from the pool.
    """
    again: dict[int, Asked] = {}
    for place, asked in enumerate(waiting):
        if pool.room(asked.question):
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
    """``wanted`` questions on different profiles, none of ``without``; sides are drawn.

    ``profiles`` maps every question to its profile. ValueError if there are too few.
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
    """What is asked at one place: ``kind`` main, check or repeat, and ``which`` of its kind.

    Of a repeat ``which`` is the main question that is asked again.
    """

    kind: str
    which: int


def order_turns(main: int, checks: int, repeats: int, rng: Generator) -> list[Turn]:
    """The order of main questions, checks and repeats.

    Main questions keep theirs. A check stands between two of them (after the one, where there is
    no second). A repeat comes after at least ``REPEAT_AFTER`` other main questions or repeats,
    as far as there are as many; which ones are repeated, and where, is drawn.
    """
    gap = min(REPEAT_AFTER, main - 1)
    early = max(repeats, main - gap)
    again = sorted(int(which) for which in rng.permutation(early)[:repeats])
    after: dict[int, list[Turn]] = {place: [] for place in range(main)}
    for which in again:
        # Late ones stand at the end, in their order: then the others lie between.
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
    """Of the possible pairs of arms one that was asked least so far, ties drawn; None without.

    ``asked`` counts the questions of every pair. Only pairs that were asked least of all may be
    taken, so that no pair is ever two questions ahead of another.
    """
    least = min(asked)
    behind = [place for place in possible if asked[place] == least]
    return behind[int(rng.integers(len(behind)))] if behind else None
