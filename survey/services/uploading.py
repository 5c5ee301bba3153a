"""A list that was uploaded, kept as rows of its arm."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import isnan

from survey.models import Arm, UploadedRecommendation
from survey.uploads import UploadedList

BATCH = 1000


def keep_upload(*, arm: Arm, upload: UploadedList) -> None:
    """Store every row; part of the transaction that makes the arm."""
    rows = _rows(arm, upload)
    # In pieces, so that a long list is never whole in memory as rows.
    while piece := list(islice(rows, BATCH)):
        UploadedRecommendation.objects.bulk_create(piece)


def _rows(arm: Arm, upload: UploadedList) -> Iterator[UploadedRecommendation]:
    columns = zip(upload.users, upload.movies, upload.ranks, upload.scores, strict=True)
    for user, movie, rank, score in columns:
        yield UploadedRecommendation(
            arm=arm,
            user=int(user),
            item_id=int(movie),
            rank=int(rank),
            score=None if isnan(score) else float(score),
        )
