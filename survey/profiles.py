"""A stranger's taste, ready to be read: titles, look-up links, stars and genres; pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

#: Imaginary movies of average liking added to each genre, so that one lucky film makes no taste.
GENRE_DAMPING = 5.0
FAVOURITES = 3
#: Best and worst genres and decades that are named, each; and the least they hold to be named.
NAMED = 3
LEAST_MOVIES, LEAST_SHARE = 3, 0.01


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


@dataclass(frozen=True)
class Tally:
    """The rated movies of one genre or decade; a decade is named by its first year, "1990"."""

    name: str
    movies: int
    mean_stars: float


@dataclass(frozen=True)
class Tallies:
    """Every genre or every decade of a profile, the best rated first.

    ``best`` and ``worst`` are the ends of the list, dearest and least dear first, without those
    that hold too few movies to tell a taste; nothing stands in both.
    """

    all: list[Tally]
    best: list[Tally]
    worst: list[Tally]


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
    genres: Tallies
    decades: Tallies


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


def tallies(rated: Iterable[tuple[str, float]], n_movies: int) -> Tallies:
    """Movies and mean stars for each name in these (name, stars) pairs of a profile.

    Best mean first, then the one with more movies, then by name. To be named among the best or
    the worst takes 3 movies and 1 % of the profile's ``n_movies``.
    """
    stars_of: dict[str, list[float]] = defaultdict(list)
    for name, stars in rated:
        stars_of[name].append(stars)
    found = [Tally(name, len(stars), sum(stars) / len(stars)) for name, stars in stars_of.items()]
    # Rounded, so that the last bit of a sum cannot order two equal means.
    found.sort(key=lambda tally: (-round(tally.mean_stars, 9), -tally.movies, tally.name))
    least = max(LEAST_MOVIES, LEAST_SHARE * n_movies)
    telling = [tally for tally in found if tally.movies >= least]
    best = telling[: min(NAMED, (len(telling) + 1) // 2)]
    worst = telling[len(best) :][: -NAMED - 1 : -1]
    return Tallies(found, best, worst)


def decade(year: int) -> str:
    """1994 lies in "1990"."""
    return str(year - year % 10)


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
        genres=tallies(
            ((genre, stars) for movie, stars in rated for genre in movie.genres), len(rated)
        ),
        decades=tallies(
            ((decade(movie.year), stars) for movie, stars in rated if movie.year), len(rated)
        ),
    )
