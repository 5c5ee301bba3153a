"""An uploaded file beside the data set it speaks of; and an uploaded arm as it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.models import Dataset, Item
from recommender.selectors import has_rated, user_rows
from recommender.store import StoreError
from survey.errors import DataDamaged, StudyError
from survey.models import Arm
from survey.selectors.arm_labels import Source
from survey.selectors.studies import model_for_arm
from survey.uploads import UploadedList, read_uploads

#: Before the name of a system in an uploaded file, where an arm is named.
UPLOADED = "upload:"


def sources_for_arms(
    *, dataset: Dataset, texts: Sequence[str], upload: Path | None = None
) -> list[Source]:
    """What each text means: ``upload:SYSTEM`` of the file, or a trained model. StudyError.

    The file is read whole and checked, whatever is asked for of it.
    """
    wanted = [text for text in texts if text.startswith(UPLOADED)]
    if wanted and upload is None:
        raise StudyError(f"{wanted[0]} is in no file. Name the file by --upload FILE.csv.")
    if upload is not None and not wanted:
        raise StudyError(f"No arm is of {upload}. Name one as {UPLOADED}SYSTEM.")
    models = {
        text: model_for_arm(dataset=dataset, text=text) for text in texts if text not in wanted
    }
    lists = read_upload(dataset=dataset, file=upload) if upload else {}
    for text in wanted:
        if text.removeprefix(UPLOADED) not in lists:
            known = ", ".join(f"{UPLOADED}{name}" for name in lists)
            raise StudyError(f"{upload} has no {text.removeprefix(UPLOADED)!r}. It has: {known}.")
    return [
        lists[text.removeprefix(UPLOADED)] if text in wanted else models[text] for text in texts
    ]


def read_upload(*, dataset: Dataset, file: Path) -> dict[str, UploadedList]:
    """Every system of the file with its list, movies by their primary keys. StudyError."""
    rows = Item.objects.filter(dataset=dataset).order_by("pk")
    catalogue = list(rows.values_list("external_id", "pk", "position"))
    keys = np.array([pk for _, pk, _ in catalogue], np.int64)
    # A movie without a position was rated by nobody: no row of the matrix holds -1.
    places = np.array([-1 if place is None else place for _, _, place in catalogue], np.int64)

    def rated(users: NDArray[np.int64], movies: NDArray[np.int64]) -> NDArray[np.bool_]:
        positions = places[np.searchsorted(keys, movies)]
        return has_rated(dataset=dataset, users=users, positions=positions)

    try:
        with file.open("rb") as opened:
            return read_uploads(
                opened,
                name=str(file),
                users=user_rows(dataset=dataset),
                movies={external_id: pk for external_id, pk, _ in catalogue},
                rated=rated,
            )
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    except OSError as error:
        raise StudyError(f"{file} cannot be read: {error.strerror}. Name a file.") from error


def stored_upload(arm: Arm) -> UploadedList:
    """The list of an uploaded arm, as its rows say it."""
    rows = arm.uploaded.order_by("user", "rank").values_list("user", "item", "rank", "score")
    # Row by row into the array: a list of them all would be ten times as large.
    columns = np.fromiter(
        (
            (user, movie, rank, np.nan if score is None else score)
            for user, movie, rank, score in rows.iterator(chunk_size=5000)
        ),
        dtype=[("user", "i8"), ("movie", "i8"), ("rank", "i8"), ("score", "f8")],
    )
    return UploadedList(
        system=arm.upload_name,
        checksum=arm.upload_checksum,
        users=columns["user"],
        movies=columns["movie"],
        ranks=columns["rank"],
        scores=columns["score"],
    )
