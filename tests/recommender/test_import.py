"""Importing a source: what is kept, what is printed, and that it happens once or not at all."""

import gc
import hashlib
import threading
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper
from django.db import connection

from recommender import store
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale
from recommender.core.readers import read_source
from recommender.loaders import load_ratings
from recommender.management import following
from recommender.management.commands import import_ratings
from recommender.models import Dataset, Item
from recommender.services.importing import register_dataset
from tests.recommender.core import sources


def run(*arguments, **options) -> str:
    out = StringIO()
    call_command("import_ratings", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def everything(home) -> dict[str, str]:
    """Every file and folder of the home, with the checksum of its content."""
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in home.rglob("*")
        if "sqlite3" not in path.name
    }


@pytest.fixture
def movielens(tmp_path):
    return sources.folder(tmp_path / "ml-tiny", sources.MOVIELENS)


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


def test_movies_are_rows_with_the_column_of_their_ratings(dataset):
    matrix = Item.objects.get(dataset=dataset, external_id="20")
    assert (matrix.title, matrix.year, matrix.position) == ("The Matrix", 1999, 1)
    assert matrix.external_ids == {"imdb": "tt0133093", "tmdb": "603"}
    assert Item.objects.get(dataset=dataset, external_id="40").position is None


def test_ratings_come_back_as_they_were_read(dataset, movielens):
    read, loaded = read_source(movielens).ratings, load_ratings(dataset)
    for name in ("indptr", "indices", "values", "timestamps", "user_ids", "item_ids"):
        assert np.array_equal(getattr(loaded, name), getattr(read, name)), name
    assert loaded.scale == read.scale


def test_loaded_ratings_are_mapped_from_disk_and_cannot_be_written_to(dataset):
    values = load_ratings(dataset).values
    assert isinstance(values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1


def test_official_folds_and_text_ids_come_back_too(db, home, tmp_path):
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


def test_the_same_source_again_changes_nothing(dataset, home, movielens):
    before = everything(home)
    again = register_dataset(name="tiny", source=read_source(movielens))
    assert again.pk == dataset.pk
    assert everything(home) == before
    assert Item.objects.count() == 4


def test_another_source_under_a_name_that_is_taken_is_refused(dataset, home, tmp_path):
    before = everything(home)
    other = read_source(sources.plain(tmp_path))
    with pytest.raises(ConfigurationError, match="tiny is there already, with other content"):
        register_dataset(name="tiny", source=other)
    assert everything(home) == before


def test_the_same_source_on_another_scale_is_refused(dataset, movielens):
    with pytest.raises(ConfigurationError, match=r"on the scale 0.5:5:0.5, not 0.5:10:0.5"):
        register_dataset(name="tiny", source=read_source(movielens, scale=Scale(0.5, 10, 0.5)))


@pytest.mark.parametrize("name", ["", "two words", "../up", ".hidden", "x" * 101])
def test_a_name_that_cannot_be_one_is_refused(db, home, movielens, name):
    with pytest.raises(ConfigurationError, match="cannot be a name"):
        register_dataset(name=name, source=read_source(movielens))
    assert everything(home) == {}


@pytest.mark.parametrize("half", ["_insert_movies", "store.write_arrays"])
def test_a_failure_half_way_leaves_neither_rows_nor_files(db, home, movielens, monkeypatch, half):
    def no_space(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(f"recommender.services.importing.{half}", no_space)
    with pytest.raises(OSError, match="No space left"):
        register_dataset(name="tiny", source=read_source(movielens))
    assert not Dataset.objects.exists()
    assert not [path for path in everything(home) if path != "ratings"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.services
def test_two_imports_at_the_same_time_make_one_data_set(home, movielens):
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


def test_the_command_prints_what_was_imported(db, home, movielens):
    lines = [line.split(maxsplit=1) for line in run(movielens).splitlines()]
    facts = {line[0]: line[1] for line in lines}
    assert facts["ml-tiny"] == "imported"
    assert facts["ratings"] == "4"
    assert facts["movies"] == "4 (3 rated)"
    assert facts["scale"] == "0.5:5:0.5"
    assert facts["time"] == "2000-07-30 18:20:47 to 2000-07-30 19:03:35 UTC"
    assert facts["checksum"] == Dataset.objects.get().checksum
    assert facts["licence"] == "README.txt: The data may be used for tests."


def test_the_command_says_when_nothing_changed(db, home, movielens):
    run(movielens)
    assert run(movielens).startswith("ml-tiny was imported before; nothing changed")


def test_the_name_is_that_of_the_file_unless_given(db, home, tmp_path):
    path = sources.zipped(tmp_path / "films.v2.zip", {"ratings.csv": sources.PLAIN})
    run(path)
    run(path, name="other")
    assert sorted(Dataset.objects.values_list("name", flat=True)) == ["films.v2", "other"]


def test_the_scale_can_be_given(db, home, tmp_path):
    run(sources.plain(tmp_path), "--scale", "1:7:1")
    assert Dataset.objects.get().scale_maximum == 7


def test_a_scale_that_is_none_is_refused(db, home, tmp_path):
    with pytest.raises(CommandError, match="'five' is not a scale"):
        run(sources.plain(tmp_path), "--scale", "five")


def test_the_demo_data_is_imported_under_its_name(db, home):
    run("--demo")
    dataset = Dataset.objects.get(name="demo")
    assert dataset.n_users == 600
    assert dataset.items.count() == dataset.n_items >= 400
    assert load_ratings(dataset).n_ratings == dataset.n_ratings


@pytest.mark.parametrize("arguments", [[], ["--demo", "/some/where"]])
def test_the_command_wants_one_source_or_the_demo(db, arguments):
    with pytest.raises(CommandError, match="Name one SOURCE, or give --demo") as refused:
        run(*arguments)
    assert refused.value.returncode == 2


@pytest.mark.parametrize(
    ("folder", "counts"),
    [("ml-latest-small", (100_836, 610, 9_742)), ("ml-100k", (100_000, 943, 1_682))],
)
def test_the_real_data_sets_are_imported_whole(db, home, real_data, folder, counts):
    run(real_data / folder)
    dataset = Dataset.objects.get(name=folder)
    assert (dataset.n_ratings, dataset.n_users, dataset.n_items) == counts
    assert dataset.items.count() == counts[2]


def test_a_terminal_shows_share_rate_and_time_left_while_a_file_is_read(monkeypatch):
    clock, shown = iter([0.0, 0.05, 2.0, 4.0, 4.0]), StringIO()
    # The module's own name: other threads go on by the clock.
    monkeypatch.setattr(import_ratings, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    display = following.Display(OutputWrapper(shown))
    display._is_terminal = True
    display.show = lambda *facts: shown.write(f"{facts}\n")
    reading = import_ratings.Reading(display, "ratings.csv")
    for done in (1_000_000, 100_000_000, 400_000_000, 400_000_000):
        reading(done, 400_000_000)
    assert shown.getvalue().splitlines() == [
        "('ratings.csv', 'reading, 50 MB a second', 0.25, 0, None, 6.0)",
        "ratings.csv: read 400 MB, 100 MB a second; storing ...",
    ]


@pytest.mark.parametrize("lines", [sources.PLAIN, "user,item,rating\n1,1,9\n"])
def test_garbage_is_looked_for_again_after_an_import(db, home, tmp_path, monkeypatch, lines):
    read, meanwhile = import_ratings.read_source, []
    monkeypatch.setattr(
        import_ratings,
        "read_source",
        lambda *a, **k: meanwhile.append(gc.isenabled()) or read(*a, **k),
    )
    with suppress(CommandError):
        run(sources.plain(tmp_path, lines), "--scale", "1:5:1")
    assert (meanwhile, gc.isenabled()) == ([False], True)


def test_nothing_is_drawn_where_nobody_watches(db, home, movielens, capsys):
    call_command("import_ratings", str(movielens))
    assert capsys.readouterr().err == ""
