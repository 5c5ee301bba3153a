"""Damaged sources on the command line: one plain message, nothing left behind."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommender.core.readers import read_source
from recommender.models import Dataset, Item
from recommender.services.importing import register_dataset
from tests.recommender.core import sources
from tests.recommender.test_import import everything

ROOT = Path(__file__).resolve().parent.parent.parent
RATINGS, MOVIES = sources.MOVIELENS["ratings.csv"], sources.MOVIELENS["movies.csv"]


def changed(name, content):
    return lambda where: sources.folder(where, sources.MOVIELENS | {name: content})


def appended(line):
    return changed("ratings.csv", RATINGS + line + "\n")


def truncated(where):
    path = sources.zipped(where.with_suffix(".zip"), sources.MOVIELENS)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def traversing(where):
    return sources.zipped(where.with_suffix(".zip"), sources.MOVIELENS | {"../../evil": "x"})


def bomb(where):
    return sources.zipped(where.with_suffix(".zip"), {"ratings.csv": b"1" * (20 << 20)})


def binary(where):
    path = where.with_suffix(".bin")
    path.write_bytes(bytes(range(256)) * 40)
    return path


#: every kind of damage, how to make it, and what the message says after the file's own name
DAMAGE = {
    "missing column": (
        changed("ratings.csv", RATINGS.replace(",rating", "")),
        "ratings.csv:1: header: column 'rating' is missing.",
    ),
    "non-number": (appended("9,10,good,5"), "ratings.csv:6: rating: 'good' is not a number."),
    "NaN": (appended("9,10,NaN,5"), "ratings.csv:6: rating: 'NaN' is not a number."),
    "infinity": (appended("9,10,inf,5"), "ratings.csv:6: rating: 'inf' is not a number."),
    "off the scale": (appended("9,10,9.5,5"), "ratings.csv:6: rating: 9.5 is off the scale"),
    "duplicate pair": (
        appended("1,10,3.0,5"),
        "ratings.csv:6: movieId: user 1 rated movie 10 already on line 2.",
    ),
    "duplicate movie": (
        changed("movies.csv", MOVIES + "10,Toy Story (1995),Comedy\n"),
        "movies.csv:6: movieId: movie 10 has a line already.",
    ),
    "unknown movie": (appended("9,77,3.0,5"), "ratings.csv:6: movieId: movie 77 is not in"),
    "NUL bytes": (appended("9,10,\0,5"), "ratings.csv:6: a NUL byte"),
    "wrong encoding": (
        changed("movies.csv", MOVIES.encode("latin-1")),
        "movies.csv:4: byte 36 is not UTF-8.",
    ),
    "header only": (
        changed("ratings.csv", "userId,movieId,rating,timestamp\n"),
        "ratings.csv: there is a header but no rating.",
    ),
    "empty": (changed("ratings.csv", ""), "ratings.csv: the file is empty."),
    "truncated zip": (truncated, "source.zip: the zip is truncated or damaged."),
    "path traversal": (traversing, "source.zip: the zip names a path outside itself:"),
    "zip bomb": (bomb, "source.zip: the zip would unpack 'ratings.csv' to over 100 times"),
    "unrelated binary": (binary, "source.bin: is not a text file."),
    "nothing": (lambda where: where, "source: does not exist."),
}


@pytest.fixture
def kept(db, home, tmp_path):
    """A data set that was there before, and must be left as it is."""
    folder = sources.folder(tmp_path / "before", sources.DAT)
    return register_dataset(name="before", source=read_source(folder))


def rows():
    return list(Dataset.objects.values()), list(Item.objects.order_by("pk").values())


@pytest.mark.parametrize(("make", "message"), DAMAGE.values(), ids=DAMAGE)
def test_damage_is_refused_and_nothing_is_left_behind(kept, home, tmp_path, make, message):
    source = make(tmp_path / "source")
    before = rows(), everything(home), everything(tmp_path)
    with pytest.raises(CommandError) as refused:
        call_command("import_ratings", str(source), "--name", "new")
    assert (rows(), everything(home), everything(tmp_path)) == before
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 1


def test_a_disk_that_cannot_be_written_to_is_one_plain_message(kept, home, tmp_path, monkeypatch):
    def no_space(*args, **kwargs):
        raise OSError(28, "No space left on device")

    before = rows(), everything(home)
    monkeypatch.setattr("recommender.store.write_arrays", no_space)
    with pytest.raises(CommandError, match=r"No space left on device\. See that"):
        call_command("import_ratings", str(sources.folder(tmp_path / "new", sources.MOVIELENS)))
    assert (rows(), everything(home)) == before


def test_the_shell_sees_one_line_on_standard_error_and_a_failure(tmp_path):
    source = appended("9,10,good,5")(tmp_path / "source")
    done = subprocess.run(
        [sys.executable, "manage.py", "import_ratings", str(source)],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    line = f"{source}/ratings.csv:6: rating: 'good' is not a number."
    assert done.stderr.strip().removeprefix("CommandError: ").startswith(line)
    assert done.stderr.count("\n") == 1


def test_zips_in_the_tests_are_what_they_claim(tmp_path):
    assert zipfile.is_zipfile(bomb(tmp_path / "source"))


@pytest.mark.django_db
def test_a_source_that_cannot_be_read_is_not_blamed_on_the_store(home, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: .*File name too long") as refusal:
        call_command("import_ratings", str(tmp_path / ("a" * 400)))
    assert "stored" not in str(refusal.value)
