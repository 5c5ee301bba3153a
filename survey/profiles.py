"""A stranger's taste, ready to be read: titles, look-up links, stars and genres; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

#: Imaginary movies of average liking added to each genre, so that one lucky film makes no taste.
GENRE_DAMPING = 5.0
FAVOURITES = 3


@dataclass(frozen=True)
class MovieFacts:
    """What the catalogue says of a movie; ``title`` is without the year, its article in front."""

    title: str
    year: int | None
    genres: Sequence[str]


@dataclass(frozen=True)
class Card:
    """A movie as an appraiser sees it: the year apart from the title, two look-up links.

    Nothing in it tells who recommended the movie or how strongly.
    """

    title: str
    year: int | None
    genres: list[str]
    web_search_url: str
    imdb_search_url: str


#: A movie of the profile shows just what a recommended one shows.
ProfileMovie = Card


@dataclass(frozen=True)
class StarGroup:
    """The movies of a profile with the same stars, in the order of their titles."""

    stars: float
    movies: list[ProfileMovie]


@dataclass(frozen=True)
class Profile:
    """Everything one user rated. ``groups`` hold every movie, most stars first.

    ``first_year`` and ``last_year`` are None where no movie has a year; ``mean_stars`` is the
    plain mean; ``favourite_genres`` (three at most, dearest first) follow `favourite_genres`.
    """

    n_movies: int
    first_year: int | None
    last_year: int | None
    favourite_genres: list[str]
    mean_stars: float
    groups: list[StarGroup]


def card(movie: MovieFacts) -> Card:
    """The movie with its look-up links, as the paper allowed appraisers to look movies up."""
    # Other titles in parentheses would narrow a search to nothing.
    words = " ".join(
        part for part in (movie.title.partition(" (")[0], str(movie.year or "")) if part
    )
    return Card(
        title=movie.title,
        year=movie.year,
        genres=list(movie.genres),
        web_search_url="https://www.google.com/search?" + urlencode({"q": f"{words} movie"}),
        imdb_search_url="https://www.imdb.com/find/?" + urlencode({"q": words}),
    )


def favourite_genres(rated: Sequence[tuple[MovieFacts, float]]) -> list[str]:
    """Up to three genres the user likes more than the rest, and watched often enough to tell.

    With n movies of a genre and d their stars above the user's own mean, a genre scores
    n * sum(d) / (n + 5): the damped mean liking times the count. Only positive scores count; a
    user who gave everything the same stars has the genres rated most often. Ties go to the
    genre with more movies, then by name.
    """
    if not rated:
        return []
    mean = sum(stars for _, stars in rated) / len(rated)
    counts: dict[str, int] = defaultdict(int)
    surplus: dict[str, float] = defaultdict(float)
    for movie, stars in rated:
        for genre in movie.genres:
            counts[genre] += 1
            surplus[genre] += stars - mean
    # Rounded, so that the last bit of a sum cannot order two equal genres.
    score = {
        genre: round(counts[genre] * surplus[genre] / (counts[genre] + GENRE_DAMPING), 9)
        for genre in counts
    }
    liked = [genre for genre in counts if score[genre] > 0] or list(counts)
    return sorted(liked, key=lambda genre: (-score[genre], -counts[genre], genre))[:FAVOURITES]


def profile(rated: Sequence[tuple[MovieFacts, float]]) -> Profile:
    """The profile of these (movie, stars) pairs, which come with the most stars first."""
    years = [movie.year for movie, _ in rated if movie.year]
    return Profile(
        n_movies=len(rated),
        first_year=min(years, default=None),
        last_year=max(years, default=None),
        favourite_genres=favourite_genres(rated),
        mean_stars=sum(stars for _, stars in rated) / len(rated) if rated else 0.0,
        groups=[
            StarGroup(stars, [card(movie) for movie, _ in group])
            for stars, group in groupby(rated, key=lambda pair: pair[1])
        ],
    )
