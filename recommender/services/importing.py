"""Registers a source as a data set: its ratings as arrays on disk, its items as rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from numpy.typing import NDArray

from recommender import store
from recommender.core.errors import ConfigurationError
from recommender.loaders import FOLD
from recommender.models import Dataset, Item
from recommender.services.labelling import add_labels, find_same_labels

if TYPE_CHECKING:
    from recommender.core.ratings import Ratings
    from recommender.core.readers.source import RatingsSource

#: Rows inserted at a time: so few that the garbage collector does not run while they live.
BATCH = 30


def register_dataset(
    *, name: str, source: RatingsSource, naming: Mapping[str, Any] | None = None
) -> Dataset:
    """Store a source under ``name``; registering it again changes its naming and adds new labels.

    ``naming`` holds ``item_kind``, ``item_words`` and ``links`` of the data set, or some of them.
    ConfigurationError if the name is invalid or belongs to another source. A failure leaves no
    rows and no files.
    """
    if known := find_same(name=name, source=source):
        add_labels(dataset=known, sources=source.side)
        return _rename(known, naming or {})
    ratings = source.ratings
    folder = f"ratings/{name}-{source.checksum[:12]}"
    dataset = Dataset(
        name=name,
        checksum=source.checksum,
        format=source.format,
        licence_note=source.licence_note,
        folder=folder,
        n_ratings=ratings.n_ratings,
        n_users=ratings.n_users,
        n_items=len(source.items),
        scale_minimum=ratings.scale.minimum,
        scale_maximum=ratings.scale.maximum,
        scale_step=ratings.scale.step,
        folds=sorted(ratings.folds),
        reading=source.reading,
        **(naming or {}),
    )
    if ratings.timestamps is not None:
        dataset.first_rated_at = datetime.fromtimestamp(int(ratings.timestamps.min()), UTC)
        dataset.last_rated_at = datetime.fromtimestamp(int(ratings.timestamps.max()), UTC)
    try:
        with transaction.atomic():
            # The row is inserted first: its unique name reserves the folder. A concurrent import of
            # the same name waits here and then fails.
            dataset.save()
            _fill(dataset, source)
    except IntegrityError:
        winner = Dataset.objects.filter(name=name).first()
        if winner is None:
            raise
        return _check_same(winner, source)
    return dataset


def find_same(*, name: str, source: RatingsSource) -> Dataset | None:
    """The data set that ``source`` is registered as under ``name``, if it is.

    ConfigurationError if the name is invalid or belongs to another source, or if the data set has
    other labels of the same kind.
    """
    if known := Dataset.objects.filter(name=name).first():
        _check_same(known, source)
        find_same_labels(dataset=known, sources=source.side)
        return known
    try:
        Dataset._meta.get_field("name").clean(name, None)
    except ValidationError as error:
        problem = " ".join(error.messages)
        raise ConfigurationError(
            f"{name!r} is not a valid name: {problem} Give --name NAME."
        ) from None
    return None


def _fill(dataset: Dataset, source: RatingsSource) -> None:
    positions = {str(key): place for place, key in enumerate(source.ratings.item_ids.tolist())}
    try:
        rows = (
            Item(
                dataset_id=dataset.pk,
                external_id=item.external_id,
                position=positions.get(item.external_id),
                title=item.title,
                year=item.year,
                genres=item.genres,
                external_ids=item.external_ids,
            )
            for item in source.items
        )
        while batch := list(islice(rows, BATCH)):
            Item.objects.bulk_create(batch)
        dataset.arrays_checksum = store.write_arrays(dataset.folder, _arrays(source.ratings))
        dataset.save(update_fields=["arrays_checksum"])
        add_labels(dataset=dataset, sources=source.side)
    except BaseException:
        store.remove(dataset.folder)
        raise


def _arrays(ratings: Ratings) -> dict[str, NDArray]:
    """The arrays that ``recommender.loaders`` reads back."""
    arrays: dict[str, NDArray] = {
        "indptr": ratings.indptr,
        "indices": ratings.indices,
        "values": ratings.values,
        "user_ids": np.asarray(ratings.user_ids),
        "item_ids": np.asarray(ratings.item_ids),
    }
    if ratings.timestamps is not None:
        arrays["timestamps"] = ratings.timestamps
    return arrays | {f"{FOLD}{name}": mask for name, mask in ratings.folds.items()}


def _rename(dataset: Dataset, naming: Mapping[str, Any]) -> Dataset:
    if naming:
        Dataset.objects.filter(pk=dataset.pk).update(**naming)
        dataset.refresh_from_db()
    return dataset


def _check_same(known: Dataset, source: RatingsSource) -> Dataset:
    scale = source.ratings.scale
    if known.checksum != source.checksum:
        raise ConfigurationError(
            f"{known.name} already exists with other content (checksum {known.checksum[:12]}, "
            f"not {source.checksum[:12]}). Choose another name: --name NAME."
        )
    kept = (known.scale_minimum, known.scale_maximum, known.scale_step)
    if kept != (scale.minimum, scale.maximum, scale.step):
        raise ConfigurationError(
            f"{known.name} already exists on the scale {kept[0]:g}:{kept[1]:g}:{kept[2]:g}, "
            f"not {scale}. Choose another name: --name NAME."
        )
    # Data sets of earlier versions kept no columns, because only one reading was possible.
    decided = ("repeated", "dropped", *(["columns"] if known.reading else []))
    if any(known.reading.get(key) != source.reading.get(key) for key in decided):
        raise ConfigurationError(
            f"{known.name} already exists, but was read with other --columns, --keep or "
            "--drop. Choose another name: --name NAME."
        )
    return known
