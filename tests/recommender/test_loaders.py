"""Ratings are loaded from disk as they were read, unless their files were changed."""

import numpy as np
import pytest

from recommender import store
from recommender.core.readers.source import read_source
from recommender.loaders import load_ratings
from recommender.services.importing import register_dataset
from recommender.services.labelling import add_labels
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.side_files import TAGS, read_side, statements
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


def test_genres_of_any_data_set_are_labels(dataset, movielens):
    genres = load_ratings(dataset).labels["genres"]
    read = read_source(movielens).ratings.labels["genres"]
    assert genres.names.tolist() == ["Action", "Adventure", "Comedy", "Fantasy"]
    assert np.array_equal(genres.matrix(3).toarray(), read.matrix(3).toarray())


def test_stored_labels_are_mapped_from_disk(dataset, tmp_path):
    tags = read_side(tags=sources.plain(tmp_path, TAGS))
    add_labels(dataset=dataset, sources=tags)
    loaded = load_ratings(dataset).labels["tags"]
    assert isinstance(loaded.items, np.memmap)
    assert statements(loaded) == statements(tags["tags"].labels)


def test_labels_added_later_are_seen_without_a_restart(dataset, tmp_path):
    assert list(load_ratings(dataset).labels) == ["genres"]
    add_labels(dataset=dataset, sources=read_side(tags=sources.plain(tmp_path, TAGS)))
    assert list(load_ratings(dataset).labels) == ["genres", "tags"]


def test_ratings_are_loaded_without_a_query(dataset, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert load_ratings(dataset).n_ratings == 4


def test_labels_changed_after_the_import_are_not_loaded(dataset, tmp_path):
    add_labels(dataset=dataset, sources=read_side(tags=sources.plain(tmp_path, TAGS)))
    file = store.path(dataset.label_sets.get().folder) / "items.npy"
    file.write_bytes(file.read_bytes()[:-4] + b"\2\0\0\0")
    with pytest.raises(store.StoreError, match="was changed after it was written"):
        len(load_ratings(dataset).labels)
