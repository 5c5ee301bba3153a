"""A source becomes a data set: its ratings as arrays on disk, its movies as rows."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from numpy.typing import NDArray

from recommender import store
from recommender.core.errors import ConfigurationError
from recommender.loaders import FOLD
from recommender.models import Dataset, Item

if TYPE_CHECKING:
    from recommender.core.ratings import Ratings
    from recommender.core.readers.source import Source

BATCH = 2000
#: of the table of movies, in the order of the values in ``_insert_movies``
COLUMNS = ("dataset_id", "external_id", "position", "title", "year", "genres", "external_ids")


def register_dataset(*, name: str, source: Source) -> Dataset:
    """Keep a source under ``name``; the same source a second time changes nothing.

    ConfigurationError where the name is not one or belongs to another source. A failure leaves
    neither rows nor files.
    """
    if known := Dataset.objects.filter(name=name).first():
        return _same(known, source)
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
        n_items=len(source.movies),
        scale_minimum=ratings.scale.minimum,
        scale_maximum=ratings.scale.maximum,
        scale_step=ratings.scale.step,
        folds=sorted(ratings.folds),
    )
    if ratings.timestamps is not None:
        dataset.first_rated_at = datetime.fromtimestamp(int(ratings.timestamps.min()), UTC)
        dataset.last_rated_at = datetime.fromtimestamp(int(ratings.timestamps.max()), UTC)
    try:
        Dataset._meta.get_field("name").clean(name, dataset)
    except ValidationError as error:
        problem = " ".join(error.messages)
        raise ConfigurationError(
            f"{name!r} cannot be a name: {problem} Give --name NAME."
        ) from None
    try:
        with transaction.atomic():
            # The row comes first: whoever inserts the name owns the folder, and a second import
            # of it at the same time waits here and then fails.
            dataset.save()
            _fill(dataset, source)
    except IntegrityError:
        winner = Dataset.objects.filter(name=name).first()
        if winner is None:
            raise
        return _same(winner, source)
    return dataset


def _fill(dataset: Dataset, source: Source) -> None:
    try:
        # Rows cost processor time and files mostly waiting; benchmarks/import_ratings.py.
        with ThreadPoolExecutor(1) as other:
            written = other.submit(store.write_arrays, dataset.folder, _arrays(source.ratings))
            _insert_movies(dataset, source)
        dataset.arrays_checksum = written.result()
        dataset.save(update_fields=["arrays_checksum"])
    except BaseException:
        store.remove(dataset.folder)
        raise


def _insert_movies(dataset: Dataset, source: Source) -> None:
    """What ``bulk_create`` would do, in a fifth of its time, which is half of a large import's."""
    positions = {str(key): place for place, key in enumerate(source.ratings.item_ids.tolist())}
    quoted = connection.ops.quote_name
    columns = ", ".join(map(quoted, COLUMNS))
    marks = ", ".join(["%s"] * len(COLUMNS))
    sql = f"INSERT INTO {quoted(Item._meta.db_table)} ({columns}) VALUES ({marks})"  # noqa: S608
    rows = (
        (
            dataset.pk,
            movie.external_id,
            positions.get(movie.external_id),
            movie.title,
            movie.year,
            json.dumps(movie.genres) if movie.genres else "[]",
            json.dumps(movie.external_ids) if movie.external_ids else "{}",
        )
        for movie in source.movies
    )
    with connection.cursor() as cursor:
        while batch := list(islice(rows, BATCH)):
            cursor.executemany(sql, batch)


def _arrays(ratings: Ratings) -> dict[str, NDArray]:
    """What ``recommender.loaders`` reads back, one file an array."""
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


def _same(known: Dataset, source: Source) -> Dataset:
    scale = source.ratings.scale
    if known.checksum != source.checksum:
        raise ConfigurationError(
            f"{known.name} is there already, with other content (checksum {known.checksum[:12]}, "
            f"not {source.checksum[:12]}). Give this source another name: --name NAME."
        )
    kept = (known.scale_minimum, known.scale_maximum, known.scale_step)
    if kept != (scale.minimum, scale.maximum, scale.step):
        raise ConfigurationError(
            f"{known.name} is there already, on the scale {kept[0]:g}:{kept[1]:g}:{kept[2]:g}, "
            f"not {scale}. Give this import another name: --name NAME."
        )
    return known
