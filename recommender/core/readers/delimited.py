"""Plain CSV with the header ``user,item,rating[,timestamp]``, beside it perhaps a movies.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from typing import NoReturn

from recommender.core.errors import SourceError
from recommender.core.ratings import Scale
from recommender.core.readers.assembly import assemble
from recommender.core.readers.catalogue import read_csv_movies, stand_ins
from recommender.core.readers.columns import Layout, Scales
from recommender.core.readers.members import Member
from recommender.core.readers.movielens import Read
from recommender.core.readers.source import Progress
from recommender.core.readers.table import read_table

#: tried in this order where no scale was given; any other must be named
USUAL_SCALES = (Scale(1, 5, 1), Scale(0.5, 5, 0.5), Scale(1, 10, 1), Scale(0.5, 10, 0.5))
#: how a header may call the columns, in lower case and without underscores
NAMES = {
    "user": "user",
    "userid": "user",
    "item": "item",
    "itemid": "item",
    "movie": "item",
    "movieid": "item",
    "rating": "rating",
    "stars": "rating",
    "timestamp": "timestamp",
}
REMEDY = "Write the header user,item,rating or user,item,rating,timestamp."


def columns(header: str) -> list[str]:
    """What each column of a header holds, "" for an unknown one; nothing if it is no header."""
    return [NAMES.get(name.lower().replace("_", ""), "") for name in _names(header)]


def _names(header: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([header], strict=True), [])]
    except csv.Error:
        return []


def layout(ratings: Member, header: str) -> Layout:
    """The layout that a header line announces; SourceError if it is not one of ratings."""
    names, found = _names(header), columns(header)
    for needed in ("user", "item", "rating"):
        if needed not in found:
            _refuse(ratings, f"column {needed!r} is missing")
    for place, name in enumerate(found):
        if not name:
            _refuse(ratings, f"column {names[place][:40]!r} is unknown")
        if name in found[:place]:
            _refuse(ratings, f"column {name!r} is there twice")
    return Layout(
        ",",
        tuple(names),
        user=found.index("user"),
        item=found.index("item"),
        rating=found.index("rating"),
        timestamp=found.index("timestamp") if "timestamp" in found else None,
        has_header=True,
        text_ids=True,
    )


def read(
    ratings: Member,
    files: Mapping[str, Member],
    scale: Scale | None,
    progress: Progress,
    header: str,
) -> Read:
    """Ids are whole numbers where a whole column is, else text; 007 and 7 are one number."""
    shape = layout(ratings, header)
    used = [("ratings.csv", ratings)]
    scales = Scales([scale] if scale else USUAL_SCALES)
    table = read_table(ratings, shape, scales, progress)
    catalogue = None
    if "movies.csv" in files:
        text_ids = table.item_ids.dtype.kind == "U"
        catalogue = read_csv_movies(files["movies.csv"], text_ids=text_ids)
        used.append(("movies.csv", files["movies.csv"]))
    found = assemble(table, scales.scale, catalogue)
    movies = (
        list(catalogue.movies.values())
        if catalogue
        else stand_ins(map(str, table.item_ids.tolist()))
    )
    return found, movies, used


def _refuse(ratings: Member, problem: str) -> NoReturn:
    raise SourceError(problem, file=ratings.label, line=1, field="header", remedy=REMEDY)
