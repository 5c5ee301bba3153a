"""What a reader hands over: checked ratings, the catalogue, and where both came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from recommender.core.ratings import Ratings

#: bytes read so far, bytes in all; called once a block
Progress = Callable[[int, int], None]


def ignore_progress(done: int, total: int) -> None:
    """The default listener."""


@dataclass(frozen=True)
class MovieRecord:
    """One movie of the catalogue, rated or not."""

    external_id: str
    title: str
    year: int | None = None
    genres: list[str] = field(default_factory=list)
    external_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Source:
    """One source, read and checked whole.

    ``ratings.item_ids`` are the movies with at least one rating, in ascending order (whole numbers
    by value); ``movies`` is the whole catalogue, whose ``external_id`` is such an id as text.
    ``checksum`` is the SHA-256 of the content of the files that were read: the same for a folder
    and for a zip of it.
    """

    ratings: Ratings
    movies: list[MovieRecord]
    format: str
    checksum: str
    licence_note: str
