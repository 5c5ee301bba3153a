"""Registering a source: what is stored, and that it happens once or not at all."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection

from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale
from recommender.core.readers.source import read_source
from recommender.loaders import load_ratings
from recommender.models import Dataset, Item
from recommender.services.importing import register_dataset
from tests.recommender.core.readers import sources
from tests.recommender.imports import everything, movielens

__all__ = ["movielens"]


@pytest.fixture
def dataset(db, home, movielens):
    return register_dataset(name="tiny", source=read_source(movielens))


def test_the_facts_of_a_source_are_kept(dataset):
    assert (dataset.n_ratings, dataset.n_users, dataset.n_items) == (4, 3, 4)
    assert (dataset.scale_minimum, dataset.scale_maximum, dataset.scale_step) == (0.5, 5, 0.5)
    assert dataset.format == "movielens-csv"
    assert dataset.licence_note == "README.txt: The data may be used for tests."


def test_the_time_range_is_kept_in_utc(dataset):
    assert dataset.first_rated_at == datetime.fromtimestamp(964981247, UTC)
    assert dataset.last_rated_at == datetime.fromtimestamp(964983815, UTC)


def test_items_are_rows_with_the_column_of_their_ratings(dataset):
    matrix = Item.objects.get(dataset=dataset, external_id="20")
    assert (matrix.title, matrix.year, matrix.position) == ("The Matrix", 1999, 1)
    assert matrix.external_ids == {"imdb": "tt0133093", "tmdb": "603"}
    assert Item.objects.get(dataset=dataset, external_id="40").position is None


def test_importing_the_same_source_again_changes_nothing(dataset, home, movielens):
    before = everything(home)
    again = register_dataset(name="tiny", source=read_source(movielens))
    assert again.pk == dataset.pk
    assert everything(home) == before
    assert Item.objects.count() == 4


def test_another_source_under_a_taken_name_is_refused(dataset, home, tmp_path):
    before = everything(home)
    other = read_source(sources.plain(tmp_path))
    with pytest.raises(ConfigurationError, match="tiny already exists"):
        register_dataset(name="tiny", source=other)
    assert everything(home) == before


def test_the_same_source_on_another_scale_is_refused(dataset, movielens):
    with pytest.raises(ConfigurationError, match=r"on the scale 0.5:5:0.5, not 0.5:10:0.5"):
        register_dataset(name="tiny", source=read_source(movielens, scale=Scale(0.5, 10, 0.5)))


@pytest.mark.parametrize("name", ["", "two words", "../up", ".hidden", "x" * 101])
def test_an_invalid_name_is_refused(db, home, movielens, name):
    with pytest.raises(ConfigurationError, match="is not a valid name"):
        register_dataset(name=name, source=read_source(movielens))
    assert everything(home) == {}


@pytest.mark.parametrize("half", ["Item.objects.bulk_create", "store.write_arrays"])
def test_a_failure_leaves_neither_rows_nor_files(db, home, movielens, monkeypatch, half):
    def no_space(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(f"recommender.services.importing.{half}", no_space)
    with pytest.raises(OSError, match="No space left"):
        register_dataset(name="tiny", source=read_source(movielens))
    assert not Dataset.objects.exists()
    assert not [path for path in everything(home) if path != "ratings"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
def test_concurrent_imports_make_one_data_set(home, movielens):
    source, made = read_source(movielens), []
    start = threading.Barrier(4)

    def register():
        start.wait()
        try:
            made.append(register_dataset(name="tiny", source=source).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=register) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dataset = Dataset.objects.get()
    assert made == [dataset.pk] * 4
    assert load_ratings(dataset).n_ratings == 4
