"""Adds labels of items to a data set: as arrays on disk, which are never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from numpy.typing import NDArray

from recommender import store
from recommender.core.errors import ConfigurationError
from recommender.models import Dataset, LabelSet

if TYPE_CHECKING:
    from recommender.core.labels import ItemLabels
    from recommender.core.readers.label_sources import ItemPlaces, LabelSource


def add_labels(*, dataset: Dataset, sources: Mapping[str, LabelSource]) -> list[str]:
    """Store the kinds of labels that ``dataset`` does not have yet; returns these kinds.

    Kinds without any statement are not stored. ConfigurationError if the data set has labels of a
    kind from another source, because models may have been trained with them; nothing is stored
    then, nor after any other failure.
    """
    known = find_same_labels(dataset=dataset, sources=sources)
    new = {
        kind: source
        for kind, source in sources.items()
        if kind not in known and source.labels.items.size
    }
    rows = [
        LabelSet(
            dataset=dataset,
            kind=kind,
            checksum=source.checksum,
            folder=f"labels/{dataset.name}-{kind}-{source.checksum[:12]}",
            reading=source.describe(),
        )
        for kind, source in new.items()
    ]
    try:
        with transaction.atomic():
            # All rows are inserted first: a concurrent import of the same kind waits here and then
            # fails before it writes a file.
            for row in rows:
                row.save()
            _write(rows, new)
    except IntegrityError:
        find_same_labels(dataset=dataset, sources=sources)
        return []
    return list(new)


def _write(rows: list[LabelSet], sources: Mapping[str, LabelSource]) -> None:
    try:
        for row in rows:
            row.arrays_checksum = store.write_arrays(row.folder, _arrays(sources[row.kind].labels))
            row.save(update_fields=["arrays_checksum"])
    except BaseException:
        for row in rows:
            store.remove(row.folder)
        raise


def find_same_labels(*, dataset: Dataset, sources: Mapping[str, LabelSource]) -> list[str]:
    """The kinds of ``sources`` that ``dataset`` has already.

    ConfigurationError if it has one of them from another source.
    """
    rows = LabelSet.objects.filter(dataset=dataset, kind__in=list(sources))
    for row in rows:
        if row.checksum != sources[row.kind].checksum:
            raise ConfigurationError(
                f"{dataset.name} already has {row.kind} of other content (checksum "
                f"{row.checksum[:12]}, not {sources[row.kind].checksum[:12]}), and models may have "
                "been trained with them. Import the ratings with these under another name."
            )
    return [row.kind for row in rows]


def places_of_items(dataset: Dataset) -> ItemPlaces:
    """The places of the items of a data set by their ids, for readers of side files."""
    from recommender.core.readers.label_sources import find_places

    rows = dataset.items.values_list("external_id", "external_ids", "position")
    return find_places(rows.order_by("pk").iterator())


def _arrays(labels: ItemLabels) -> dict[str, NDArray]:
    """The arrays that ``recommender.loaders`` reads back."""
    names = ("names", "items", "labels", "weights", "times")
    arrays = {name: getattr(labels, name) for name in names}
    return {name: array for name, array in arrays.items() if array is not None}
