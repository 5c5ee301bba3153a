"""The three shapes MovieLens came in: CSV with a header, lines of ``::``, the tabs of ml-100k."""

from __future__ import annotations

from collections.abc import Mapping

from recommender.core.errors import SourceError
from recommender.core.ratings import Ratings, Scale
from recommender.core.readers.assembly import assemble
from recommender.core.readers.catalogue import (
    read_100k_movies,
    read_csv_movies,
    read_dat_movies,
    with_links,
)
from recommender.core.readers.columns import Layout, Scales
from recommender.core.readers.members import Member
from recommender.core.readers.source import MovieRecord, Progress, ignore_progress
from recommender.core.readers.table import Table, read_table

WHOLE_STARS = Scale(1, 5, 1)
HALF_STARS = Scale(0.5, 5, 0.5)
HEADER = ("userId", "movieId", "rating", "timestamp")
CSV = Layout(",", HEADER, user=0, item=1, rating=2, timestamp=3, has_header=True)
DAT = Layout("::", HEADER, user=0, item=1, rating=2, timestamp=3)
TABS = Layout("\t", ("user", "item", "rating", "timestamp"), user=0, item=1, rating=2, timestamp=3)
FOLDS = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")

Read = tuple[Ratings, list[MovieRecord], list[tuple[str, Member]]]


def read_csv(
    ratings: Member, files: Mapping[str, Member], scale: Scale | None, progress: Progress
) -> Read:
    """ratings.csv, movies.csv and, if it is there, links.csv; half stars."""
    used = [("ratings.csv", ratings), ("movies.csv", files["movies.csv"])]
    catalogue = read_csv_movies(files["movies.csv"])
    if "links.csv" in files:
        catalogue = with_links(catalogue, files["links.csv"])
        used.append(("links.csv", files["links.csv"]))
    table, found = _rated(ratings, CSV, [scale or HALF_STARS], progress)
    return assemble(table, found, catalogue), list(catalogue.movies.values()), used


def read_dat(
    ratings: Member, files: Mapping[str, Member], scale: Scale | None, progress: Progress
) -> Read:
    """ratings.dat and movies.dat; whole stars, or half stars where one occurs."""
    movies = _needed(files, "movies.dat", ratings)
    catalogue = read_dat_movies(movies)
    candidates = [scale] if scale else [WHOLE_STARS, HALF_STARS]
    table, found = _rated(ratings, DAT, candidates, progress)
    used = [("ratings.dat", ratings), ("movies.dat", movies)]
    return assemble(table, found, catalogue), list(catalogue.movies.values()), used


def read_100k(
    ratings: Member, files: Mapping[str, Member], scale: Scale | None, progress: Progress
) -> Read:
    """u.data, u.item and the official folds u1 to u5, ua and ub that are there; whole stars."""
    movies = _needed(files, "u.item", ratings)
    catalogue = read_100k_movies(movies)
    table, found = _rated(ratings, TABS, [scale or WHOLE_STARS], progress)
    used = [("u.data", ratings), ("u.item", movies)]
    folds: dict[str, tuple[Table, Table | None]] = {}
    for name in FOLDS:
        test, base = files.get(f"{name}.test"), files.get(f"{name}.base")
        if test is None:
            continue
        used.append((f"{name}.test", test))
        test_table, _ = _rated(test, TABS, [found], ignore_progress)
        rest_table = None
        if base is not None:
            used.append((f"{name}.base", base))
            rest_table, _ = _rated(base, TABS, [found], ignore_progress)
        folds[name] = (test_table, rest_table)
    return assemble(table, found, catalogue, folds), list(catalogue.movies.values()), used


def _rated(
    member: Member, layout: Layout, candidates: list[Scale], progress: Progress
) -> tuple[Table, Scale]:
    scales = Scales(candidates)
    table = read_table(member, layout, scales, progress)
    return table, scales.scale


def _needed(files: Mapping[str, Member], name: str, ratings: Member) -> Member:
    if name not in files:
        raise SourceError(
            f"{name} is missing beside it", file=ratings.label, remedy=f"Add {name} of the source."
        )
    return files[name]
