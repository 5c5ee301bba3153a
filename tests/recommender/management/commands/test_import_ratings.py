"""Importing on the command line: what is printed, and that damage leaves nothing behind."""

import os
import subprocess
import sys
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import OutputWrapper

from recommender.core.readers.items import ItemRecord
from recommender.core.readers.source import read_source
from recommender.core.runs import Progress
from recommender.loaders import load_ratings
from recommender.management import following
from recommender.management.commands import import_ratings
from recommender.models import Dataset, Item
from recommender.services.importing import register_dataset
from tests.installation import ROOT
from tests.recommender.core.readers import side_files, sources
from tests.recommender.imports import everything, movielens

__all__ = ["movielens"]

RATINGS, MOVIES = sources.MOVIELENS["ratings.csv"], sources.MOVIELENS["movies.csv"]


def run(*arguments, **options) -> str:
    out = StringIO()
    call_command("import_ratings", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


def test_the_command_prints_what_was_imported(db, home, movielens):
    lines = [line.split(maxsplit=1) for line in run(movielens).splitlines()]
    facts = {line[0]: line[1] for line in lines}
    assert facts["ml-tiny"] == "imported"
    assert facts["ratings"] == "4"
    assert facts["items"] == "4 (3 rated)"
    assert facts["scale"] == "0.5:5:0.5"
    assert facts["time"] == "2000-07-30 18:20:47 to 2000-07-30 19:03:35 UTC"
    assert facts["checksum"] == Dataset.objects.get().checksum
    assert facts["licence"] == "README.txt: The data may be used for tests."


def test_the_command_reports_that_nothing_changed(db, home, movielens):
    run(movielens)
    assert run(movielens).startswith("ml-tiny was already imported")


@pytest.mark.parametrize(
    ("counts", "report"),
    [
        ([2], "1 title has several ids for the same year: Film 0 (0, 1). "),
        ([2] * 6, "6 titles have several ids for the same year: Film 0 (0, 1); Film 1 (0, 1); "),
        ([20_000], "Film 0 (0, 1, 2, 3, 4, …). "),
    ],
)
def test_titles_with_several_ids_are_reported_in_a_few_words(counts, report):
    groups = [
        [ItemRecord(str(each), f"Film {nth}") for each in range(count)]
        for nth, count in enumerate(counts)
    ]
    told = import_ratings.describe_duplicates(groups)
    assert report in told
    assert len(told) < 300


def test_the_command_reports_that_only_words_and_links_changed(db, home, movielens):
    run(movielens)
    report = run(movielens, "--items", "book")
    assert report.startswith("ml-tiny was already imported; only the words and links")
    assert Dataset.objects.get().item_kind == "book"


def test_a_kind_replaces_own_words(db, home, movielens):
    run(movielens, "--item-words", "podcast,podcasts")
    run(movielens, "--items", "movie")
    assert Dataset.objects.get().holds_movies
    run(movielens, "--items", "book", "--item-words", "novel,novels")
    dataset = Dataset.objects.get()
    assert (dataset.item_kind, dataset.item_words) == ("book", {"en": ["novel", "novels"]})


def test_the_name_is_that_of_the_file_unless_given(db, home, tmp_path):
    path = sources.zipped(tmp_path / "films.v2.zip", {"ratings.csv": sources.PLAIN})
    run(path)
    run(path, name="other")
    assert sorted(Dataset.objects.values_list("name", flat=True)) == ["films.v2", "other"]


def test_the_scale_can_be_given(db, home, tmp_path):
    run(sources.plain(tmp_path), "--scale", "1:7:1")
    assert Dataset.objects.get().scale_maximum == 7


@pytest.mark.parametrize("spelling", [["--scale", "-10:10:0.01"], ["--scale=-10:10:0.01"]])
def test_d7_a_scale_may_be_negative_in_both_spellings(db, home, tmp_path, spelling):
    run(sources.plain(tmp_path, "user,item,rating\n1,2,6.69\n1,3,-9.82\n2,2,0\n"), *spelling)
    dataset = Dataset.objects.get()
    assert (dataset.scale_minimum, dataset.scale_maximum, dataset.scale_step) == (-10, 10, 0.01)
    assert load_ratings(dataset).values.tolist() == np.float32([6.69, -9.82, 0]).tolist()


def test_checking_reports_everything_and_stores_nothing(db, home, tmp_path):
    path = sources.plain(tmp_path, "user;isbn;score;mood\n1;0002;0;x\n1;0003;9;\n")
    before = everything(home)
    report = run(path, "--check", "--drop-zeros")
    lines = [line.split(maxsplit=1) for line in report.splitlines()]
    assert ["separator", "semicolon"] in lines
    assert ["columns", "user = user, item = isbn, rating = score"] in lines
    assert "left out   mood" in report
    assert ["dropped", "ratings of 0: 1"] in lines
    assert "note       Without times" in report
    with pytest.raises(CommandError, match="--drop-zeros") as refused:
        run(path, "--check")
    assert refused.value.returncode == 1
    assert everything(home) == before
    assert not Dataset.objects.exists()


def test_checking_says_that_a_name_is_taken_or_invalid(db, home, tmp_path, movielens):
    run(movielens)
    assert run(movielens, "--check").startswith("ml-tiny was already imported\n")
    for name in ("ml-tiny", "two words"):
        with pytest.raises(CommandError, match="--name NAME"):
            run(sources.plain(tmp_path), "--check", "--name", name)


def test_what_was_decided_is_kept_and_another_decision_is_another_data_set(db, home, tmp_path):
    path = sources.plain(tmp_path, "user,item,rating\n1,2,4\n1,2,5\n2,2,3\n")
    run(path, "--keep", "last")
    assert (
        Dataset.objects.get().reading["repeated"]
        == "ratings of pairs rated before: 1; the last counts"
    )
    assert "already imported" in run(path, "--keep", "last")
    with pytest.raises(CommandError, match="was read with other --columns, --keep or --drop"):
        run(path, "--keep", "first")


def test_columns_are_named_on_the_command_line(db, home, tmp_path):
    run(sources.plain(tmp_path, "a,b,c\n1,2,4\n"), "--columns", "user=b,item=a,rating=c")
    assert load_ratings(Dataset.objects.get()).user_ids.tolist() == [2]


def test_an_invalid_scale_is_refused(db, home, tmp_path):
    with pytest.raises(CommandError, match="'five' is not a scale"):
        run(sources.plain(tmp_path), "--scale", "five")


def test_the_demo_data_is_imported_under_its_name(db, home):
    run("--demo")
    dataset = Dataset.objects.get(name="demo")
    assert dataset.n_users == 600
    assert dataset.items.count() == dataset.n_items >= 400
    assert load_ratings(dataset).n_ratings == dataset.n_ratings


@pytest.mark.parametrize("arguments", [[], ["--demo", "/some/where"]])
def test_the_command_needs_one_source_or_the_demo(db, arguments):
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
    # Only this module's name: other threads need the real clock.
    monkeypatch.setattr(import_ratings, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    display = following.Display(OutputWrapper(shown))
    display._is_terminal = True
    display.show = lambda label, step, **how: shown.write(f"{label} {step.share} {step}\n")
    reading = import_ratings.ReadingProgress(display, "ratings.csv")
    for done in (1_000_000, 100_000_000, 400_000_000, 400_000_000):
        reading(done, 400_000_000)
    step = Progress("reading, 50 MB/s", 100_000_000, 400_000_000, seconds_left=6.0)
    assert shown.getvalue().splitlines() == [
        f"ratings.csv 0.25 {step}",
        "ratings.csv: read 400 MB, 100 MB/s; storing ...",
    ]


def test_no_progress_is_shown_without_a_terminal(db, home, movielens, capsys):
    call_command("import_ratings", str(movielens))
    assert capsys.readouterr().err == ""


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


#: Every kind of damage: how to make it, and the place that the message names.
DAMAGE = {
    "missing column": (
        changed("ratings.csv", RATINGS.replace(",rating", "")),
        "ratings.csv:1: header: ",
    ),
    "non-number": (appended("9,10,good,5"), "ratings.csv:6: rating: "),
    "off the scale": (appended("9,10,9.5,5"), "ratings.csv:6: rating: "),
    "duplicate pair": (appended("1,10,3.0,5"), "ratings.csv:6: movieId: "),
    "duplicate movie": (
        changed("movies.csv", MOVIES + "10,Toy Story (1995),Comedy\n"),
        "movies.csv:6: movieId: ",
    ),
    "unknown movie": (appended("9,77,3.0,5"), "ratings.csv:6: movieId: "),
    "NUL bytes": (appended("9,10,\0,5"), "ratings.csv:6: "),
    "wrong encoding": (changed("movies.csv", MOVIES.encode("latin-1")), "movies.csv:4: "),
    "empty": (changed("ratings.csv", ""), "ratings.csv: "),
    "truncated zip": (truncated, "source.zip: "),
    "path traversal": (traversing, "source.zip: "),
    "zip bomb": (bomb, "source.zip: "),
    "unrelated binary": (binary, "source.bin: "),
    "nothing": (lambda where: where, "source: "),
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
    with pytest.raises(CommandError, match="No space left on device"):
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
    line = f"{source}/ratings.csv:6: rating: "
    assert done.stderr.strip().removeprefix("CommandError: ").startswith(line)
    assert done.stderr.count("\n") == 1


@pytest.mark.django_db
def test_a_source_that_cannot_be_read_is_not_blamed_on_the_store(home, tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: .*File name too long") as refusal:
        call_command("import_ratings", str(tmp_path / ("a" * 400)))
    assert "stored" not in str(refusal.value)


def test_side_files_of_the_folder_and_others_are_reported(db, home, movielens, tmp_path):
    sources.folder(movielens, {"tags.csv": side_files.TAGS})
    keywords = sources.plain(tmp_path, side_files.KEYWORDS)
    report = run(movielens, "--keywords", keywords)
    assert "\n  tags       3 statements of 2 labels on 2 items, with times; left out: " in report
    assert "\n  keywords   3 statements of 3 labels on 2 items\n" in report
    assert set(load_ratings(Dataset.objects.get()).labels) == {"genres", "tags", "keywords"}


def test_the_command_reports_that_only_labels_were_added(db, home, movielens, tmp_path):
    run(movielens)
    keywords = sources.plain(tmp_path, side_files.KEYWORDS)
    report = run(movielens, "--keywords", keywords, "--items", "book")
    assert report.startswith("ml-tiny was already imported; only keywords and the words and links")
    assert run(movielens, "--keywords", keywords).startswith(
        "ml-tiny was already imported; nothing changed"
    )


def test_a_damaged_side_file_is_refused_and_nothing_is_stored(db, home, movielens):
    sources.folder(movielens, {"tags.csv": side_files.TAGS + "1,10\n"})
    before = everything(home)
    with pytest.raises(CommandError, match=r"tags.csv:7: 2 fields instead of 4"):
        run(movielens)
    assert everything(home) == before
    assert not Dataset.objects.exists()
