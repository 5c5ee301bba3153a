"""The real data sets, where STUDYSITE_DATA names them: the figures their own READMEs give."""

import zipfile

import numpy as np
import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.source import read_source


@pytest.fixture(scope="module")
def small(real_data):
    return read_source(real_data / "ml-latest-small")


@pytest.fixture(scope="module")
def hundred(real_data):
    return read_source(real_data / "ml-100k")


def test_ml_latest_small_has_the_counts_of_its_readme(small):
    ratings = small.ratings
    assert (ratings.n_ratings, ratings.n_users, len(small.items)) == (100_836, 610, 9_742)
    assert ratings.n_items == 9_724
    assert ratings.scale == Scale(0.5, 5, 0.5)
    assert ratings.values.min() == 0.5


def test_ml_latest_small_is_dated_as_published(small):
    times = small.ratings.timestamps.astype("M8[s]")
    assert times.min() == np.datetime64("1996-03-29T18:36:55")
    assert times.max() == np.datetime64("2018-09-24T14:27:30")


def test_ml_latest_small_has_a_link_for_every_movie_and_a_year_for_nearly_all(small):
    assert all(movie.external_ids["imdb"].startswith("tt") for movie in small.items)
    assert sum(movie.year is None for movie in small.items) < 15
    assert {movie.title for movie in small.items} > {"The Matrix", "Toy Story", "Les Misérables"}


def test_ml_latest_small_has_the_tags_of_its_readme(small):
    tags = small.side["tags"]
    assert len(tags.labels.items) + sum(tags.left_out.values()) == 3_683
    assert sorted(small.ratings.labels) == ["genres", "tags"]


def test_real_side_files_name_the_movies_of_ml_latest_small(real_data):
    names = {"keywords": "keywords.csv", "people": "people.csv"}
    names["genome-scores"] = "genome-scores-head.csv.xz"
    side = {role: real_data / "metadata" / name for role, name in names.items()}
    labels = read_source(real_data / "ml-latest-small", side=side).ratings.labels
    movies = {kind: len(np.unique(each.items)) for kind, each in labels.items()}
    assert (movies["keywords"], movies["people"], movies["genome"]) == (8_666, 2_852, 99)
    assert labels["genome"].weights.max() <= 1


def test_ml_100k_has_the_counts_of_its_readme(hundred):
    ratings = hundred.ratings
    assert (ratings.n_ratings, ratings.n_users, len(hundred.items)) == (100_000, 943, 1_682)
    assert ratings.scale == Scale(1, 5, 1)
    assert np.diff(ratings.indptr).min() == 20


def test_the_official_folds_of_ml_100k_are_kept(hundred):
    sizes = {name: int(held.sum()) for name, held in hundred.ratings.folds.items()}
    assert sizes == dict.fromkeys(("u1", "u2", "u3", "u4", "u5"), 20_000) | {
        "ua": 9_430,
        "ub": 9_430,
    }
    five = sum(hundred.ratings.folds[f"u{number}"].astype(int) for number in range(1, 6))
    assert np.all(five == 1)


def test_the_licences_are_quoted(small, hundred):
    assert small.licence_note.startswith("README.txt: ")
    assert "redistribute the data set, including transformations" in small.licence_note
    assert "may not redistribute the data without separate permission" in hundred.licence_note


def test_a_zip_of_ml_100k_is_the_same_source(real_data, hundred, tmp_path):
    with zipfile.ZipFile(tmp_path / "ml-100k.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((real_data / "ml-100k").iterdir()):
            archive.write(file, f"ml-100k/{file.name}")
    again = read_source(tmp_path / "ml-100k.zip")
    assert again.checksum == hundred.checksum
    assert np.array_equal(again.ratings.values, hundred.ratings.values)
