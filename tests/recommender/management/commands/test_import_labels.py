"""Adding side information on the command line: what is said, and that damage stores nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from recommender.core.readers.source import read_source
from recommender.loaders import load_ratings
from recommender.models import LabelSet
from recommender.services.importing import register_dataset
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.side_files import FILES
from tests.recommender.imports import everything, movielens

__all__ = ["movielens"]


@pytest.fixture
def dataset(db, home, movielens):
    return register_dataset(name="tiny", source=read_source(movielens))


@pytest.fixture
def side(tmp_path):
    return sources.folder(tmp_path / "side", FILES)


def run(*arguments) -> str:
    out = StringIO()
    call_command("import_labels", "--dataset", "tiny", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_every_kind_is_added_and_reported(dataset, side):
    roles = ("tags", "genome-scores", "keywords", "people")
    report = run(*(part for role in roles for part in (f"--{role}", side)))
    assert list(load_ratings(dataset).labels) == ["genres", "genome", "keywords", "people", "tags"]
    assert "tags imported\n  3 statements of 2 labels on 2 items, with times; left out: " in report


def test_labels_that_are_there_already_are_said_to_be(dataset, side):
    run("--tags", side)
    assert run("--tags", side).startswith("tags was already imported\n")


def test_checking_stores_nothing(dataset, side, home):
    before = everything(home)
    assert run("--tags", side, "--check").startswith("tags can be imported\n")
    assert everything(home) == before
    assert not LabelSet.objects.exists()


def test_labels_of_other_items_are_not_imported(dataset, tmp_path):
    path = sources.plain(tmp_path, "movieId,tag\n99,new\n")
    assert "tags not imported, because nothing in it is about an item" in run("--tags", path)


def test_damage_is_refused_and_nothing_is_stored(dataset, side, home):
    (side / "people.csv").write_text("movieId,actors\n10\n")
    before = everything(home)
    with pytest.raises(CommandError, match=r"people.csv:2: 1 fields instead of 2"):
        run("--tags", side, "--people", side)
    assert everything(home) == before
    assert not LabelSet.objects.exists()


def test_naming_no_file_is_wrong_usage(dataset):
    with pytest.raises(CommandError, match="--tags FILE") as refused:
        run()
    assert refused.value.returncode == 2
