"""The names that people give to the columns of ratings and items, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from recommender.core.errors import ConfigurationError

#: The columns of a table of ratings; all but the last are needed.
ROLES = ("user", "item", "rating", "timestamp")
NEEDED = ROLES[:3]
KINDS = (
    *("item", "movie", "film", "anime", "manga", "book", "game", "boardgame", "song", "track"),
    *("album", "artist", "product", "recipe", "joke", "beer", "business", "restaurant", "video"),
    *("show", "series", "podcast", "news", "article", "paper", "course", "app", "place", "wine"),
)
#: Spelled as `simple_name` returns them.
RATINGS: Mapping[str, Sequence[str]] = {
    "user": ("user", "userid", "uid", "reviewerid", "customerid", "raterid", "memberid"),
    "item": (*KINDS, *(f"{kind}id" for kind in KINDS), "iid", "isbn", "asin", "parentasin"),
    "rating": (
        *("rating", "ratings", "stars", "score", "value", "overall", "bookrating", "userrating"),
        *("starrating", "ratingvalue", "userscore", "reviewscore", "reviewoverall"),
    ),
    "timestamp": (
        *("timestamp", "time", "date", "datetime", "unixreviewtime", "reviewtimestamp"),
        *("ratingtimestamp", "ratedat", "createdat", "reviewdate", "ratingdate"),
    ),
}
#: Of tables of items; the first that occurs is used.
ITEMS: Mapping[str, Sequence[str]] = {
    "title": ("title", "name", *(f"{kind}{end}" for end in ("title", "name") for kind in KINDS)),
    "year": (
        *("year", "releaseyear", "yearofpublication", "publicationyear", "yearpublished"),
        "originalpublicationyear",
    ),
    "genres": ("genres", "genre", "categories", "category", "class", "tags"),
}
LINKS = {"imdb": ("imdbid", "imdb"), "tmdb": ("tmdbid", "tmdb")}
#: Of side information: labels of items, and what they are said with.
LABELS: Mapping[str, Sequence[str]] = {
    "tag": ("tag", "tagname"),
    "tagid": ("tagid",),
    "relevance": ("relevance",),
    "keywords": ("keywords", "keyword"),
    "people": (
        *("people", "person", "directors", "director", "actors", "actor", "cast", "crew"),
        *("writers", "writer", "authors", "author", "artists", "artist"),
    ),
}
#: Columns that count what users did instead of rating it.
COUNTS = (
    "count",
    "counts",
    "weight",
    "playtime",
    "hours",
    "plays",
    "playcount",
    "listens",
    "listencount",
    "clicks",
    "purchases",
    "views",
)
#: Of RecBole's atomic files: ``user_id:token``.
TYPES = ("token", "token_seq", "float", "float_seq")


def simple_name(name: str) -> str:
    """A name in lower case without type, spaces and punctuation: ``User-ID`` is ``userid``."""
    return "".join(filter(str.isalnum, untyped(name).lower()))


def untyped(name: str) -> str:
    """``user_id`` for ``user_id:token``."""
    start, _, kind = name.strip().rpartition(":")
    return start if kind in TYPES else name.strip()


def find_roles(
    names: Sequence[str], roles: Iterable[str], given: Mapping[str, str] | None = None
) -> dict[str, list[int]]:
    """The columns of ``names`` that may play each role; ``given`` overrides what names mean.

    A given column is a name, or a number that counts from 1.
    """
    known, simple = {**RATINGS, **ITEMS, **LINKS, **LABELS}, [simple_name(name) for name in names]
    return {
        role: _given(names, given[role])
        if given and role in given
        else [place for place, name in enumerate(simple) if name in known[role]]
        for role in roles
    }


def parse_columns(text: str) -> dict[str, str]:
    """Read ``user=a,item=b,rating=c[,timestamp=d]``, or some of these; ConfigurationError."""
    found: dict[str, str] = {}
    for part in text.split(","):
        role, _, name = (piece.strip() for piece in part.partition("="))
        if role not in ROLES or role in found or (role in NEEDED and not name):
            raise ConfigurationError(
                f"{part!r} does not name a column. Write --columns user=NAME,item=NAME,rating=NAME "
                "and timestamp=NAME, or timestamp= for none; numbers count columns from 1."
            )
        found[role] = name
    return found


def _given(names: Sequence[str], wanted: str) -> list[int]:
    if wanted.isascii() and wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return [int(wanted) - 1]
    exact = [place for place, name in enumerate(names) if wanted in (name, untyped(name))]
    lower = [place for place, name in enumerate(names) if wanted.lower() == name.lower()]
    return (exact or lower) if wanted else []
