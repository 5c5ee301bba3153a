"""Reads an uploaded file against its data set, and a stored uploaded list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.core.duplicates import Key, duplicate_key
from recommender.models import Dataset, Item
from recommender.selectors import has_rated, user_rows
from recommender.store import StoreError
from survey.errors import DataDamaged, StudyError
from survey.models import Arm
from survey.selectors.arm_labels import Source
from survey.selectors.studies import model_for_arm
from survey.uploads import UploadedList, read_uploads

#: Marks an arm as a system of the uploaded file.
UPLOADED = "upload:"


def sources_for_arms(
    *, dataset: Dataset, texts: Sequence[str], upload: Path | None = None
) -> list[Source]:
    """What each text means: ``upload:SYSTEM`` of the file, or a trained model. StudyError.

    The whole file is read and checked, whichever of its systems are used.
    """
    wanted = [text for text in texts if text.startswith(UPLOADED)]
    if wanted and upload is None:
        raise StudyError(f"{wanted[0]} needs a file. Name it by --upload FILE.csv.")
    if upload is not None and not wanted:
        raise StudyError(f"No arm uses {upload}. Name one as {UPLOADED}SYSTEM.")
    sources: dict[str, Source] = {
        text: model_for_arm(dataset=dataset, text=text) for text in texts if text not in wanted
    }
    lists = read_upload(dataset=dataset, file=upload) if upload else {}
    for text in wanted:
        name = text.removeprefix(UPLOADED)
        if name not in lists:
            known = ", ".join(f"{UPLOADED}{each}" for each in lists)
            raise StudyError(f"{upload} has no {name!r}. It has: {known}.")
        sources[text] = lists[name]
    return [sources[text] for text in texts]


def read_upload(*, dataset: Dataset, file: Path) -> dict[str, UploadedList]:
    """Every system of the file with its list, items by their primary keys. StudyError."""
    rows = Item.objects.filter(dataset=dataset).order_by("pk")
    catalogue = list(rows.only("external_id", "position", "title", "year"))
    keys = np.array([item.pk for item in catalogue], np.int64)
    # Items that look the same have the same label.
    known: dict[Key, int] = {}
    labels = np.array(
        [known.setdefault(duplicate_key(item.title, item.year), len(known)) for item in catalogue],
        np.int64,
    )
    positions = np.array([-1 if item.position is None else item.position for item in catalogue])
    label_of = labels[np.argsort(positions)][np.count_nonzero(positions < 0) :]

    def rated(users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.bool_]:
        wanted = labels[np.searchsorted(keys, items)]
        return has_rated(dataset=dataset, users=users, labels=wanted, label_of=label_of)

    try:
        with file.open("rb") as opened:
            return read_uploads(
                opened,
                name=str(file),
                users=user_rows(dataset=dataset),
                items={item.external_id: item.pk for item in catalogue},
                rated=rated,
            )
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}. Name a file.") from error


def stored_upload(arm: Arm) -> UploadedList:
    """The list of an uploaded arm, from its rows."""
    rows = arm.uploaded.order_by("user", "rank").values_list("user", "item", "rank", "score")
    # Filled row by row: a list of all rows would take ten times the memory.
    columns = np.fromiter(
        (
            (user, item, rank, np.nan if score is None else score)
            for user, item, rank, score in rows.iterator(chunk_size=5000)
        ),
        dtype=[("user", "i8"), ("item", "i8"), ("rank", "i8"), ("score", "f8")],
    )
    return UploadedList(
        arm.upload_name,
        arm.upload_checksum,
        *(columns[name] for name in ("user", "item", "rank", "score")),
    )
