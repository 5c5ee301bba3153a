"""Labels are added to a data set once, as arrays; what is stored never changes."""

import threading

import pytest
from django.db import connection

from recommender import store
from recommender.core.errors import ConfigurationError
from recommender.core.readers.source import read_source
from recommender.loaders import load_ratings
from recommender.models import Dataset, LabelSet
from recommender.services.importing import register_dataset
from recommender.services.labelling import add_labels, places_of_items
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.side_files import FILES, KEYWORDS, read_side
from tests.recommender.imports import everything, movielens

__all__ = ["movielens"]


@pytest.fixture
def dataset(db, home, movielens):
    return register_dataset(name="tiny", source=read_source(movielens))


@pytest.fixture
def found(dataset, tmp_path):
    """Labels of the data set's items, read from files."""
    side = sources.folder(tmp_path / "side", FILES)
    return read_side(places_of_items(dataset), tags=side, keywords=side)


def test_items_are_found_by_own_and_foreign_ids(dataset):
    places = places_of_items(dataset)
    assert places["item"] == {"10": 0, "20": 1, "30": 2, "40": -1}
    assert places["tmdb"]["603"] == 1


def test_new_kinds_are_stored_and_the_data_set_stays_the_same(dataset, found):
    before = Dataset.objects.filter(pk=dataset.pk).values().get()
    assert add_labels(dataset=dataset, sources=found) == ["tags", "keywords"]
    row = LabelSet.objects.get(dataset=dataset, kind="tags")
    assert row.checksum == found["tags"].checksum
    assert row.reading.startswith("3 statements of 2 labels on 2 items, with times")
    assert Dataset.objects.filter(pk=dataset.pk).values().get() == before


def test_the_same_labels_again_change_nothing(dataset, found, home):
    add_labels(dataset=dataset, sources=found)
    before = everything(home)
    assert add_labels(dataset=dataset, sources=found) == []
    assert everything(home) == before


def test_other_labels_of_a_stored_kind_are_refused(dataset, found, home, tmp_path):
    add_labels(dataset=dataset, sources={"keywords": found["keywords"]})
    before = everything(home)
    path = sources.plain(tmp_path, KEYWORDS + "40,1,new\n")
    other = read_side(places_of_items(dataset), keywords=path)
    with pytest.raises(ConfigurationError, match="already has keywords of other content"):
        add_labels(dataset=dataset, sources=other | {"tags": found["tags"]})
    assert everything(home) == before
    assert LabelSet.objects.count() == 1


def test_labels_of_no_item_of_the_data_set_are_not_stored(dataset, tmp_path):
    path = sources.plain(tmp_path, "movieId,tag\n99,new\n")
    assert add_labels(dataset=dataset, sources=read_side(tags=path)) == []
    assert not LabelSet.objects.exists()


def test_a_failure_leaves_neither_rows_nor_files(dataset, found, home, monkeypatch):
    before, write = everything(home), store.write_arrays

    def no_space_for_the_second(folder, arrays):
        if "keywords" in folder:
            raise OSError("No space left on device")
        return write(folder, arrays)

    monkeypatch.setattr(store, "write_arrays", no_space_for_the_second)
    with pytest.raises(OSError, match="No space left"):
        add_labels(dataset=dataset, sources=found)
    assert not LabelSet.objects.exists()
    assert {path: what for path, what in everything(home).items() if path != "labels"} == before


def test_labels_in_the_folder_of_a_source_are_stored_with_it(db, home, tmp_path):
    files = {**sources.MOVIELENS, "tags.csv": FILES["tags.csv"]}
    dataset = register_dataset(
        name="tagged", source=read_source(sources.folder(tmp_path / "ml", files))
    )
    assert list(load_ratings(dataset).labels) == ["genres", "tags"]


def test_importing_a_source_again_adds_the_labels_that_were_not_read_before(dataset, movielens):
    sources.folder(movielens, {"tags.csv": FILES["tags.csv"]})
    again = register_dataset(name="tiny", source=read_source(movielens))
    assert again.pk == dataset.pk
    assert LabelSet.objects.get().kind == "tags"


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
def test_concurrent_imports_store_labels_once(home, movielens, tmp_path):
    dataset = register_dataset(name="tiny", source=read_source(movielens))
    labels = read_side(tags=sources.plain(tmp_path, FILES["tags.csv"]))
    start, made = threading.Barrier(4), []

    def add():
        start.wait()
        try:
            made.append(add_labels(dataset=dataset, sources=labels))
        finally:
            connection.close()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [[], [], [], ["tags"]]
    assert load_ratings(dataset).labels["tags"].items.size == 3
