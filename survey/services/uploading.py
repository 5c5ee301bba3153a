"""Stores an uploaded list as rows of its arm."""

from __future__ import annotations

from itertools import islice
from math import isnan

from survey.models import Arm, UploadedRecommendation
from survey.uploads import UploadedList

BATCH = 1000


def keep_upload(*, arm: Arm, upload: UploadedList) -> None:
    """Store every row, within the transaction that makes the arm."""
    rows = (
        UploadedRecommendation(
            arm=arm,
            user=int(user),
            item_id=int(item),
            rank=int(rank),
            score=None if isnan(score) else float(score),
        )
        for user, item, rank, score in zip(
            upload.users, upload.items, upload.ranks, upload.scores, strict=True
        )
    )
    # In batches, so that a long list is never in memory as rows.
    while batch := list(islice(rows, BATCH)):
        UploadedRecommendation.objects.bulk_create(batch)
