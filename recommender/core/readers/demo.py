"""The built-in data set: real films (facts, in demo_films.csv) and simulated raters.

Integer arithmetic only, so that every machine and numpy version makes the same data from a seed.
"""

from __future__ import annotations

import csv
import hashlib
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from recommender.core.ratings import Ratings, Scale
from recommender.core.readers.items import ItemRecord
from recommender.core.readers.source import RatingsSource

FILMS = "demo_films.csv"
SEED = 20
N_USERS = 600
SCALE = Scale(0.5, 5, 0.5)
N_GROUPS = 8  #: groups of users with similar taste
FEWEST, MOST = 20, 250  #: ratings per user
YEARS = np.array(["2019", "2020", "2021", "2022", "2023", "2024", "2025"], "M8[s]").astype(np.int64)
DAY = 86_400
LICENCE = (
    f"{FILMS}: titles, years and genres are facts, collected for Studysite. The raters and their "
    "ratings are simulated and say nothing about the films. Free to use under Studysite's licence."
)

Whole = NDArray[np.int64]

#: Purposes of random numbers; each draw has its own.
(QUALITY, FAME, TRAIT, GENEROSITY, GROUP, GROUP_TASTE, OWN_TASTE, OWN_TRAIT, ERA, ERA_CARE) = range(
    1, 11
)
(NOISE, CHANCE, COUNT, ARRIVAL, SPAN, SESSIONS, SESSION, SHARE, ORDER, PAUSE) = range(11, 21)


def demo_source(seed: int = SEED) -> RatingsSource:
    """About 45,000 ratings in half stars by 600 simulated users over six years.

    A rating is the sum of the film's quality, the user's generosity, the match of the user's taste
    with the film's genres, era and two hidden traits, and noise. Users rate films more often that
    are famous or to their taste.
    """
    text = files(__package__).joinpath(FILMS).read_text(encoding="utf-8")
    items = [
        ItemRecord(str(number), row["title"], int(row["year"]), row["genres"].split("|"))
        for number, row in enumerate(csv.DictReader(text.splitlines()), start=1)
    ]
    draw = Draw(seed)
    taste = _tastes(draw, items)
    sessions = _sessions(draw)
    users, films = _choices(draw, items, taste, sessions)
    levels = _levels(draw, users, films, taste)
    times = _times(draw, users, films, items, sessions)
    rated, columns = np.unique(films, return_inverse=True)
    content = np.stack([users, films, levels, times]).astype("<i8").tobytes()
    return RatingsSource(
        ratings=Ratings.from_triples(
            users,
            columns,
            levels / 2,
            scale=SCALE,
            timestamps=times,
            user_ids=np.arange(1, N_USERS + 1),
            item_ids=rated + 1,
        ),
        items=items,
        format="demo",
        checksum=hashlib.sha256(text.encode() + content).hexdigest(),
        licence_note=LICENCE,
    )


class Draw:
    """Pseudo-random numbers that depend only on the seed, their purpose and their coordinates."""

    def __init__(self, seed: int) -> None:
        self._seed = np.uint64(seed)

    def bits(self, purpose: int, *places: Whole) -> NDArray[np.uint64]:
        """64 mixed bits for each place (the finaliser of splitmix64 after each coordinate)."""
        state = _mixed(np.full(1, self._seed, np.uint64) + np.uint64(purpose << 32))
        for place in places:
            state = _mixed(state + np.asarray(place).astype(np.uint64))
        return state

    def below(self, limit: int, purpose: int, *places: Whole) -> Whole:
        """Whole numbers from 0 to ``limit`` - 1, uniformly distributed."""
        return (self.bits(purpose, *places) >> np.uint64(33)).astype(np.int64) * limit >> 31

    def normal(self, spread: int, purpose: int, *places: Whole) -> Whole:
        """Whole numbers around 0 with standard deviation ``spread``: sums of four uniforms."""
        bits = self.bits(purpose, *places)
        total = np.zeros(bits.shape, np.int64)
        for shift in (0, 16, 32, 48):
            total += ((bits >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
        return (total - 131_070) * spread // 37_837


def _mixed(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def _tastes(draw: Draw, items: list[ItemRecord]) -> Whole:
    """How much more, in thousandths of a star, each user likes each film (users x films)."""
    names = sorted({genre for item in items for genre in item.genres})
    has = np.array([[name in item.genres for name in names] for item in items], np.int64)
    users, genres = np.arange(N_USERS)[:, None], np.arange(len(names))[None, :]
    group = draw.below(N_GROUPS, GROUP, users)
    liking = draw.normal(850, GROUP_TASTE, group, genres) + draw.normal(
        300, OWN_TASTE, users, genres
    )
    taste = liking @ has.T * 3 // (2 * has.sum(axis=1))
    years = np.array([item.year for item in items], np.int64)[None, :]
    favourite = 2020 - draw.below(70, ERA, group, users // 3)
    taste += 200 - np.abs(years - favourite) * draw.below(20, ERA_CARE, users)
    films = np.arange(len(items))[None, :]
    for trait in (np.full(1, 0), np.full(1, 1)):
        film_trait = draw.normal(1000, TRAIT, trait, films)
        own = draw.normal(400, OWN_TRAIT, trait, group) + draw.normal(
            250, OWN_TRAIT, trait + 2, users
        )
        taste += film_trait * own // 1000
    return taste


def _sessions(draw: Draw) -> Whole:
    """The start of each user's sessions (users x 8, seconds since 1970, unsorted).

    Users arrive throughout the years. Half of them never return: their sessions are all the same.
    """
    users = np.arange(N_USERS)
    first, last = int(YEARS[0]) // DAY, int(YEARS[-1]) // DAY - 1
    arrival = first + draw.below(last - first, ARRIVAL, users)
    returns = draw.below(2, SESSIONS, users)
    span = returns * draw.below(last - first, SPAN, users)
    span = np.minimum(span, last - arrival)
    number = np.arange(8)[None, :]
    offset = span[:, None] * draw.below(1 << 16, SESSION, users[:, None], number) >> 16
    offset[:, 0] = 0
    start = draw.below(DAY, SESSION, users[:, None], number + 8 * returns[:, None])
    return (arrival[:, None] + offset) * DAY + np.where(offset > 0, start, start[:, :1])


def _choices(
    draw: Draw, items: list[ItemRecord], taste: Whole, sessions: Whole
) -> tuple[Whole, Whole]:
    """The rated pairs: parallel arrays of users and films, by user."""
    users, films = np.arange(N_USERS), np.arange(len(items))
    years = np.array([item.year for item in items], np.int64)
    # The square makes a few films famous and most obscure; newer films are better known.
    fame = draw.below(1000, FAME, films) ** 2 * 3 // 1000 + (years - 1920) * 12
    wish = fame[None, :] + taste // 2 + draw.normal(900, CHANCE, users[:, None], films[None, :])
    # No film is rated before the year after its release.
    wish[years[None, :] >= _year(sessions.max(axis=1))[:, None]] = -1_000_000
    share = draw.below(1 << 16, COUNT, users)
    counts = FEWEST + ((MOST - FEWEST + 1) * (share * share * share >> 32) >> 16)
    best = np.argsort(-wish, axis=1, kind="stable")
    taken = np.arange(len(items))[None, :] < counts[:, None]
    return np.repeat(users, counts), best[taken].astype(np.int64)


def _levels(draw: Draw, users: Whole, films: Whole, taste: Whole) -> Whole:
    """The ratings, in half stars: 1 to 10."""
    stars = (
        2_800
        + draw.normal(400, QUALITY, films)
        + draw.normal(300, GENEROSITY, users)
        + taste[users, films]
        + draw.normal(500, NOISE, users, films)
    )
    return np.clip((stars + 250) // 500, 1, 10)


def _times(
    draw: Draw, users: Whole, films: Whole, items: list[ItemRecord], sessions: Whole
) -> Whole:
    """The time of each rating: one after another within a session of the user."""
    # Almost half of a user's ratings are made in the first session.
    later = draw.below(100, SHARE, users, films) >= 40
    session = np.where(later, draw.below(8, ORDER, users, films), 0)
    start = sessions[users, session]
    years = np.array([item.year for item in items], np.int64)[films]
    start = np.where(years < _year(start), start, sessions.max(axis=1)[users])
    order = np.lexsort((draw.bits(ORDER, films, users), start, users))
    key = start[order] + (users[order] << 40)
    begins = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    place = np.arange(len(key)) - np.repeat(begins, np.diff(np.append(begins, len(key))))
    times = np.empty_like(start)
    times[order] = start[order] + place * 20 + draw.below(15, PAUSE, users, films)[order]
    return times


def _year(seconds: Whole) -> Whole:
    return 2018 + np.searchsorted(YEARS, seconds, side="right")
