"""The Netflix Prize in its layouts: which files belong together, titles, and the probe set."""

import gzip

import pytest

from recommender.core.errors import ConfigurationError
from recommender.core.readers.netflix import LICENCE
from recommender.core.readers.source import read_source
from tests.recommender.core.readers import sources
from tests.recommender.core.readers.netflix_files import (
    COMBINED,
    FIRST,
    MOVIES,
    PROBE,
    SECOND,
    TITLES,
    WHOLE,
)
from tests.recommender.core.readers.outcomes import outcome, refusal, triples
from tests.recommender.core.readers.side_files import statements


@pytest.fixture
def whole(tmp_path):
    return sources.folder(tmp_path / "netflix", WHOLE)


def test_a_whole_source_is_read(whole):
    source = read_source(whole)
    assert (source.format, source.licence_note) == ("netflix", LICENCE)
    assert (source.ratings.n_ratings, source.ratings.n_users, source.ratings.n_items) == (9, 4, 4)
    assert str(source.ratings.scale) == "1:5:1"
    assert triples(source.ratings)[0][:3] == (3, 1, 1)


def test_titles_are_latin_1_with_commas_and_may_lack_a_year(whole):
    items = {item.external_id: (item.title, item.year) for item in read_source(whole).items}
    assert items["1"] == ("Dinosaur Planet", 2003)
    assert items["3"] == ("Caf\xe9, Bar, Cinema", None)
    assert items["11"] == ("Never Rated", 1996)


def test_titles_may_be_missing(tmp_path):
    source = read_source(sources.folder(tmp_path / "netflix", COMBINED))
    assert source.items[0].title == "Movie 1"
    assert source.ratings.folds == {}


def test_the_probe_set_is_an_official_fold(whole):
    ratings = read_source(whole).ratings
    mask = ratings.folds["probe"]
    chosen = [row[:2] for row, is_probe in zip(triples(ratings), mask, strict=True) if is_probe]
    assert chosen == [(3, 1), (12, 1), (12, 10)]


def test_folder_zip_and_packed_files_are_the_same_source(whole, tmp_path):
    zipped = sources.zipped(tmp_path / "netflix.zip", WHOLE)
    inner = sources.zipped(
        tmp_path / "inner.zip", {f"archive/{name}": text for name, text in WHOLE.items()}
    )
    packed = sources.folder(
        tmp_path / "packed",
        {
            f"{name}.gz": gzip.compress(text.encode() if isinstance(text, str) else text)
            for name, text in WHOLE.items()
        },
    )
    wanted = outcome(whole)
    ratings, items, _, checksum = wanted
    assert outcome(zipped) == outcome(inner) == wanted
    assert outcome(packed)[:2] == (ratings, items)
    assert len(checksum) == 64


def test_a_file_for_each_movie_gives_the_same_ratings(whole, tmp_path):
    root = sources.folder(tmp_path / "download", {"movie_titles.txt": TITLES, "probe.txt": PROBE})
    sources.folder(root / "training_set", MOVIES)
    assert outcome(root)[:2] == outcome(whole)[:2]


def test_one_file_is_a_part_of_the_source_with_the_files_next_to_it(whole):
    source = read_source(whole / "combined_data_1.txt")
    assert source.ratings.n_ratings == 4
    assert source.items[2].title == "Caf\xe9, Bar, Cinema"
    assert source.ratings.folds["probe"].sum() == 2
    assert source.reading["probe"].startswith("1 pairs left out")


def test_the_name_of_a_single_file_does_not_matter(tmp_path):
    path = sources.plain(tmp_path, FIRST)
    assert read_source(path).format == "netflix"


def test_side_information_is_given_beside_it(whole, tmp_path):
    tags = sources.plain(tmp_path, "movieId,tag\n3,slow\n")
    labels = read_source(whole, side={"tags": tags}).ratings.labels
    assert statements(labels["tags"]) == [(2, "slow", 1, None)]


def test_columns_cannot_be_named(whole):
    with pytest.raises(ConfigurationError, match="Leave --columns out"):
        read_source(whole, columns={"user": "a"})


DAMAGE = [
    # file, text, line, field, part of the message
    ("movie_titles.txt", TITLES + b"12,1999\n", 6, None, "2 fields instead of 3"),
    ("movie_titles.txt", TITLES + b"12,soon,A Film\n", 6, "year", "is not a year"),
    ("movie_titles.txt", TITLES + b"12,1999,\n", 6, "title", "is not a title"),
    ("movie_titles.txt", TITLES + b"1,1999,Again\n", 6, "movieId", "earlier line"),
    ("movie_titles.txt", b"", None, None, "contains no movies"),
    ("probe.txt", PROBE + "7\n", 6, "userId", "user 7 did not rate movie 10"),
    ("probe.txt", PROBE + "7,3\n", 6, "userId", "is not the number of a user"),
    ("probe.txt", "12\n" + PROBE, 1, None, "above the first movie"),
    ("probe.txt", "", None, None, "contains no users"),
]


@pytest.mark.parametrize(("name", "text", "line", "field", "words"), DAMAGE)
def test_damage_is_refused_with_file_line_and_remedy(whole, name, text, line, field, words):
    sources.folder(whole, {name: text})
    error = refusal(whole)
    assert words in str(error)
    assert str(error.file).endswith(name)
    assert (error.line, error.field) == (line, field)


def test_a_rated_movie_without_a_title_is_refused(whole):
    sources.folder(whole, {"combined_data_2.txt": SECOND + "12:\n7,3,2005-01-01\n"})
    (whole / "probe.txt").unlink()
    error = refusal(whole)
    assert "item 12 is not in" in str(error)
    assert (error.line, str(error.file).rpartition("/")[2]) == (7, "combined_data_2.txt")


def test_ratings_in_both_layouts_at_once_are_refused(whole):
    sources.folder(whole / "training_set", MOVIES)
    assert "several times" in str(refusal(whole))
