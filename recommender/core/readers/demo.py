"""The built-in data set: real films (facts, in demo_films.csv) and simulated raters.

Whole numbers only, so that every machine and every numpy makes the same data from a seed.
"""

from __future__ import annotations

import csv
import hashlib
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from recommender.core.ratings import Ratings, Scale
from recommender.core.readers.source import MovieRecord, Source

FILMS = "demo_films.csv"
SEED = 20
N_USERS = 600
SCALE = Scale(0.5, 5, 0.5)
N_GROUPS = 8  #: circles of like taste
FEWEST, MOST = 20, 250  #: ratings of one user
YEARS = np.array(["2019", "2020", "2021", "2022", "2023", "2024", "2025"], "M8[s]").astype(np.int64)
DAY = 86_400
LICENCE = (
    f"{FILMS}: titles, years and genres are facts, collected for Studysite. The raters and their "
    "ratings are simulated and say nothing about the films. Free to use under Studysite's licence."
)

Whole = NDArray[np.int64]

#: what a drawn number is for; no two draws share one
(QUALITY, FAME, TRAIT, GENEROSITY, GROUP, GROUP_TASTE, OWN_TASTE, OWN_TRAIT, ERA, ERA_CARE) = range(
    1, 11
)
(NOISE, CHANCE, COUNT, ARRIVAL, SPAN, SESSIONS, SESSION, SHARE, ORDER, PAUSE) = range(11, 21)


def demo_source(seed: int = SEED) -> Source:
    """About 45,000 ratings in half stars by 600 simulated users over six years.

    A rating is what the film is worth, how generous the user is, how the user's tastes meet the
    film's genres, era and two hidden traits, and noise; films that are famous or to the user's
    taste are rated more often.
    """
    text = files(__package__).joinpath(FILMS).read_text(encoding="utf-8")
    movies = [
        MovieRecord(str(number), row["title"], int(row["year"]), row["genres"].split("|"))
        for number, row in enumerate(csv.DictReader(text.splitlines()), start=1)
    ]
    draw = Draw(seed)
    taste = _tastes(draw, movies)
    sessions = _sessions(draw)
    users, films = _choices(draw, movies, taste, sessions)
    levels = _levels(draw, users, films, taste)
    times = _times(draw, users, films, movies, sessions)
    rated, columns = np.unique(films, return_inverse=True)
    content = np.stack([users, films, levels, times]).astype("<i8").tobytes()
    return Source(
        ratings=Ratings.from_triples(
            users,
            columns,
            levels / 2,
            scale=SCALE,
            timestamps=times,
            user_ids=np.arange(1, N_USERS + 1),
            item_ids=rated + 1,
        ),
        movies=movies,
        format="demo",
        checksum=hashlib.sha256(text.encode() + content).hexdigest(),
        licence_note=LICENCE,
    )


class Draw:
    """Numbers that look random and depend on the seed, their purpose and their places alone."""

    def __init__(self, seed: int) -> None:
        self._seed = np.uint64(seed)

    def bits(self, purpose: int, *places: Whole) -> NDArray[np.uint64]:
        """64 mixed bits for each place (splitmix64's finaliser after each coordinate)."""
        state = _mixed(np.full(1, self._seed, np.uint64) + np.uint64(purpose << 32))
        for place in places:
            state = _mixed(state + np.asarray(place).astype(np.uint64))
        return state

    def below(self, limit: int, purpose: int, *places: Whole) -> Whole:
        """Whole numbers from 0 to ``limit`` - 1, all as likely."""
        return (self.bits(purpose, *places) >> np.uint64(33)).astype(np.int64) * limit >> 31

    def bell(self, spread: int, purpose: int, *places: Whole) -> Whole:
        """Whole numbers around 0 with standard deviation ``spread``: sums of four uniform ones."""
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


def _tastes(draw: Draw, movies: list[MovieRecord]) -> Whole:
    """How much more, in thousandths of a star, each user likes each film (users x films)."""
    names = sorted({genre for movie in movies for genre in movie.genres})
    has = np.array([[name in movie.genres for name in names] for movie in movies], np.int64)
    users, genres = np.arange(N_USERS)[:, None], np.arange(len(names))[None, :]
    group = draw.below(N_GROUPS, GROUP, users)
    liking = draw.bell(850, GROUP_TASTE, group, genres) + draw.bell(300, OWN_TASTE, users, genres)
    taste = liking @ has.T * 3 // (2 * has.sum(axis=1))
    years = np.array([movie.year for movie in movies], np.int64)[None, :]
    favourite = 2020 - draw.below(70, ERA, group, users // 3)
    taste += 200 - np.abs(years - favourite) * draw.below(20, ERA_CARE, users)
    films = np.arange(len(movies))[None, :]
    for trait in (np.full(1, 0), np.full(1, 1)):
        film_trait = draw.bell(1000, TRAIT, trait, films)
        own = draw.bell(400, OWN_TRAIT, trait, group) + draw.bell(250, OWN_TRAIT, trait + 2, users)
        taste += film_trait * own // 1000
    return taste


def _sessions(draw: Draw) -> Whole:
    """When each user sits down to rate (users x 8, seconds since 1970, unsorted).

    Users arrive all through the years. Half of them never return: all their sessions are one.
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
    draw: Draw, movies: list[MovieRecord], taste: Whole, sessions: Whole
) -> tuple[Whole, Whole]:
    """Who rated what: parallel arrays of users and films, by user."""
    users, films = np.arange(N_USERS), np.arange(len(movies))
    years = np.array([movie.year for movie in movies], np.int64)
    # The square makes a few films famous and most of them obscure; younger ones are better known.
    fame = draw.below(1000, FAME, films) ** 2 * 3 // 1000 + (years - 1920) * 12
    wish = fame[None, :] + taste // 2 + draw.bell(900, CHANCE, users[:, None], films[None, :])
    # Nobody has seen a film before the year after it came out.
    wish[years[None, :] >= _year(sessions.max(axis=1))[:, None]] = -1_000_000
    share = draw.below(1 << 16, COUNT, users)
    counts = FEWEST + ((MOST - FEWEST + 1) * (share * share * share >> 32) >> 16)
    best = np.argsort(-wish, axis=1, kind="stable")
    taken = np.arange(len(movies))[None, :] < counts[:, None]
    return np.repeat(users, counts), best[taken].astype(np.int64)


def _levels(draw: Draw, users: Whole, films: Whole, taste: Whole) -> Whole:
    """The ratings, in half stars: 1 to 10."""
    stars = (
        2_800
        + draw.bell(400, QUALITY, films)
        + draw.bell(300, GENEROSITY, users)
        + taste[users, films]
        + draw.bell(500, NOISE, users, films)
    )
    return np.clip((stars + 250) // 500, 1, 10)


def _times(
    draw: Draw, users: Whole, films: Whole, movies: list[MovieRecord], sessions: Whole
) -> Whole:
    """When each rating was made: one after another within one of its user's sessions."""
    # Almost half of a user's ratings are made on the first day.
    later = draw.below(100, SHARE, users, films) >= 40
    session = np.where(later, draw.below(8, ORDER, users, films), 0)
    start = sessions[users, session]
    years = np.array([movie.year for movie in movies], np.int64)[films]
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
