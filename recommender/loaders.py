"""Loads the ratings of a data set, memory-mapped and verified once in each process."""

from functools import lru_cache

from recommender import store
from recommender.core.ratings import Ratings, Scale
from recommender.models import Dataset

#: Prefix of the arrays of official folds.
FOLD = "fold-"


def load_ratings(dataset: Dataset) -> Ratings:
    """The ratings of ``dataset``; StoreError if its files are missing or were changed."""
    scale = Scale(dataset.scale_minimum, dataset.scale_maximum, dataset.scale_step)
    return _mapped(str(store.path(dataset.folder)), dataset.folder, dataset.arrays_checksum, scale)


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
