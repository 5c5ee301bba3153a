"""A profile as pages show it: movies by ratings, genres and decades; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from survey.scales import Bin, RatingScale

#: The scale of most movie data sets.
HALF_STARS = RatingScale(0.5, 5, 0.5)
#: Imaginary movies with average stars added to each genre, so that one film makes no favourite.
GENRE_DAMPING = 5.0
FAVOURITES = 3
#: A profile of more movies is long: browsers lay out only what is in sight.
LONG = 300
#: How many best and worst genres or decades are named; and the fewest movies they must hold.
NAMED = 3
LEAST_MOVIES, LEAST_SHARE = 3, 0.01


class Movie(Protocol):
    """What is shown of a movie; ``title`` is without the year and begins with its article."""

    title: str
    year: int | None
    genres: Sequence[str]


@dataclass(frozen=True)
class TasteCount:
    """The rated movies of one genre or decade; a decade is named by its first year, "1990"."""

    name: str
    movies: int
    mean_stars: float


@dataclass(frozen=True)
class Tastes:
    """Every genre or every decade of a profile, the best rated first.

    ``best`` and ``worst`` are the two ends of the list, the extreme first, without those that hold
    too few movies; nothing is in both.
    """

    all: list[TasteCount]
    best: list[TasteCount]
    worst: list[TasteCount]


@dataclass(frozen=True)
class StarGroup:
    """The movies of a profile with the same stars, by title; or with ratings in the same bin."""

    bin: Bin
    rated: list[tuple[Movie, float]]

    @property
    def stars(self) -> float:
        """The lowest rating that belongs here."""
        return float(self.bin.low)

    @property
    def movies(self) -> list[Movie]:
        return [movie for movie, _ in self.rated]


@dataclass(frozen=True)
class Profile:
    """Everything one user rated on a ``scale``. ``groups`` hold every movie, most stars first.

    ``first_year`` and ``last_year`` are None if no movie has a year; ``mean_stars`` is the
    arithmetic mean; `favourite_genres` defines the favourites, at most three.
    """

    scale: RatingScale
    n_movies: int
    first_year: int | None
    last_year: int | None
    favourite_genres: list[str]
    mean_stars: float
    groups: list[StarGroup]
    genres: Tastes
    decades: Tastes

    @property
    def is_long(self) -> bool:
        return self.n_movies > LONG


def favourite_genres(rated: Sequence[tuple[Movie, float]]) -> list[str]:
    """Up to three genres that the user likes more than the others and watched often enough.

    With n movies of a genre and d their stars above the user's own mean, a genre scores
    n * sum(d) / (n + 5): the damped mean liking times the count. Only positive scores count; a
    user who gave everything the same stars has the genres rated most often. Ties go to the
    genre with more movies, then by name.
    """
    if not rated:
        return []
    mean = sum(stars for _, stars in rated) / len(rated)
    above: dict[str, list[float]] = defaultdict(list)
    for movie, stars in rated:
        for genre in movie.genres:
            above[genre].append(stars - mean)
    # Rounded, so that the last bit of a sum cannot order two equal genres.
    score = {
        genre: round(len(stars) * sum(stars) / (len(stars) + GENRE_DAMPING), 9)
        for genre, stars in above.items()
    }
    liked = [genre for genre in above if score[genre] > 0] or list(above)
    return sorted(liked, key=lambda genre: (-score[genre], -len(above[genre]), genre))[:FAVOURITES]


def count_tastes(rated: Iterable[tuple[str, float]], n_movies: int) -> Tastes:
    """Movies and mean stars of each name in the (name, stars) pairs of a profile.

    Ordered by mean, then by number of movies, then by name. The best and the worst hold at least
    3 movies and 1 % of the profile's ``n_movies``.
    """
    stars_of: dict[str, list[float]] = defaultdict(list)
    for name, stars in rated:
        stars_of[name].append(stars)
    found = [
        TasteCount(name, len(stars), sum(stars) / len(stars)) for name, stars in stars_of.items()
    ]
    # Rounded, so that the last bit of a sum cannot order two equal means.
    found.sort(key=lambda taste: (-round(taste.mean_stars, 9), -taste.movies, taste.name))
    least = max(LEAST_MOVIES, LEAST_SHARE * n_movies)
    frequent = [taste for taste in found if taste.movies >= least]
    best = frequent[: min(NAMED, (len(frequent) + 1) // 2)]
    worst = frequent[len(best) :][: -NAMED - 1 : -1]
    return Tastes(found, best, worst)


def decade_of(year: int) -> str:
    """The decade of a year: "1990" for 1994."""
    return str(year - year % 10)


def profile(rated: Sequence[tuple[Movie, float]], scale: RatingScale = HALF_STARS) -> Profile:
    """The profile of (movie, stars) pairs that are ordered by stars, most first."""
    years = [movie.year for movie, _ in rated if movie.year]
    return Profile(
        scale=scale,
        n_movies=len(rated),
        first_year=min(years, default=None),
        last_year=max(years, default=None),
        favourite_genres=favourite_genres(rated),
        mean_stars=sum(stars for _, stars in rated) / len(rated) if rated else 0.0,
        groups=[
            StarGroup(ratings, list(group))
            for ratings, group in groupby(rated, key=lambda pair: scale.bin_of(pair[1]))
        ],
        genres=count_tastes(
            ((genre, stars) for movie, stars in rated for genre in movie.genres), len(rated)
        ),
        decades=count_tastes(
            ((decade_of(movie.year), stars) for movie, stars in rated if movie.year), len(rated)
        ),
    )
