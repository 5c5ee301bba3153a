"""Ratings are loaded from disk as they were read, unless their files were changed."""

import numpy as np
import pytest

from recommender import store
from recommender.core.readers.source import read_source
from recommender.loaders import load_ratings
from recommender.services.importing import register_dataset
from tests.recommender.core.readers import sources
from tests.recommender.imports import movielens

__all__ = ["movielens"]


@pytest.fixture
def dataset(db, home, movielens):
    return register_dataset(name="tiny", source=read_source(movielens))


def test_ratings_are_loaded_as_they_were_read(dataset, movielens):
    read, loaded = read_source(movielens).ratings, load_ratings(dataset)
    for name in ("indptr", "indices", "values", "timestamps", "user_ids", "item_ids"):
        assert np.array_equal(getattr(loaded, name), getattr(read, name)), name
    assert loaded.scale == read.scale


def test_loaded_ratings_are_mapped_from_disk_and_cannot_be_written_to(dataset):
    values = load_ratings(dataset).values
    assert isinstance(values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


def test_official_folds_and_text_ids_are_loaded(db, home, tmp_path):
    hundred = sources.folder(tmp_path / "ml", sources.HUNDRED, "latin-1")
    dataset = register_dataset(name="hundred", source=read_source(hundred))
    assert dataset.folds == ["u1"]
    assert load_ratings(dataset).folds["u1"].tolist() == [False, True, True, False]
    path = sources.plain(tmp_path, "user,item,rating\nada,x,4\n")
    texts = register_dataset(name="texts", source=read_source(path))
    assert load_ratings(texts).user_ids.tolist() == ["ada"]
    assert load_ratings(texts).timestamps is None


def test_files_changed_after_the_import_are_not_loaded(dataset):
    file = store.path(dataset.folder) / "values.npy"
    file.write_bytes(file.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(store.StoreError, match="was changed after it was written"):
        load_ratings(dataset)
