"""Loads the ratings of a data set, memory-mapped and verified once in each process."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from recommender import store
from recommender.core.labels import ItemLabels, genre_labels
from recommender.core.ratings import Ratings, Scale
from recommender.models import Dataset

#: Prefix of the arrays of official folds.
FOLD = "fold-"


def load_ratings(dataset: Dataset) -> Ratings:
    """The ratings of ``dataset``; StoreError if its files are missing or were changed."""
    scale = Scale(dataset.scale_minimum, dataset.scale_maximum, dataset.scale_step)
    place = str(store.path(dataset.folder))
    ratings = _mapped(place, dataset.folder, dataset.arrays_checksum, scale)
    return replace(ratings, labels=StoredLabels(dataset))


class StoredLabels(Mapping[str, ItemLabels]):
    """The labels of a data set's items by kind, loaded when they are first asked for.

    Pages ask for ratings only, and so never pay for labels. Genres are made from the rows of the
    items, which every data set has; other kinds are memory-mapped and verified.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._loaded: dict[str, ItemLabels] | None = None

    def __getitem__(self, kind: str) -> ItemLabels:
        return self._all()[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, ItemLabels]:
        if self._loaded is None:
            rows = self._dataset.items.values_list("position", "genres")
            genres = genre_labels((place, names) for place, names in rows if place is not None)
            found = {"genres": genres} if genres.items.size else {}
            for row in self._dataset.label_sets.all():
                place = str(store.path(row.folder))
                found[row.kind] = _mapped_labels(place, row.folder, row.arrays_checksum)
            self._loaded = found
        return self._loaded


@lru_cache(maxsize=4)
def _mapped(_place: str, folder: str, checksum: str, scale: Scale) -> Ratings:
    """``_place`` is part of the cache key: two homes may contain a folder of the same name."""
    arrays = store.read_arrays(folder, checksum)
    folds = {
        name.removeprefix(FOLD): array for name, array in arrays.items() if name.startswith(FOLD)
    }
    return Ratings(
        indptr=arrays["indptr"],
        indices=arrays["indices"],
        values=arrays["values"],
        timestamps=arrays.get("timestamps"),
        user_ids=arrays["user_ids"],
        item_ids=arrays["item_ids"],
        scale=scale,
        folds=folds,
    )


@lru_cache(maxsize=16)
def _mapped_labels(_place: str, folder: str, checksum: str) -> ItemLabels:
    return ItemLabels(**store.read_arrays(folder, checksum))
