"""Which questions an appraiser gets and which arm stands left; pure, the generator is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike


class Stream(IntEnum):
    """What a study's seed is used for; each use draws from numbers of its own."""

    POOL = 0
    APPRAISER = 1
    SIMULATION = 2


def generator(seed: int, stream: Stream, *which: int) -> Generator:
    """The generator of one use of a study's seed, such as one appraiser's.

    ``which`` are non-negative numbers that tell the draws of one stream apart. Spawn keys keep
    them apart whatever the seed; a list of seeds would not ([5] and [5, 0] are the same).
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, *which)))


def draw_pool(eligible: ArrayLike, size: int, rng: Generator) -> list[int]:
    """At most ``size`` of the eligible users without repetition, in the order they are tried."""
    return [int(user) for user in rng.permutation(np.asarray(eligible, np.int64))[:size]]


def choose_questions(assigned: Mapping[int, int], wanted: int, rng: Generator) -> list[int]:
    """``wanted`` different questions, those assigned least so far; ties and order are drawn.

    ``assigned`` maps every question of the study to how often it was assigned. Appraiser after
    appraiser, no question is ever two assignments ahead of another.

    ValueError if there are fewer questions than wanted.
    """
    if wanted > len(assigned):
        raise ValueError(f"{wanted} questions are wanted, but there are only {len(assigned)}.")
    drawn = [int(question) for question in rng.permutation(np.array(list(assigned), np.int64))]
    least = sorted(drawn, key=lambda question: assigned[question])[:wanted]
    # Drawn once more: otherwise a question that is behind would always be asked early.
    return [least[place] for place in rng.permutation(wanted)]


def choose_sides(count: int, rng: Generator) -> list[bool]:
    """For each of ``count`` questions whether the first arm stands on the left.

    It does in half of them, in random order; of an odd number, the odd one is drawn. So one
    appraiser sees both arms equally often on the left, and nobody can tell the next side from
    the ones before, but for what a half-and-half total gives away at the very end.
    """
    sides = [True, False] * (count // 2)
    if count % 2:
        sides.append(bool(rng.integers(2)))
    return [sides[place] for place in rng.permutation(count)]
