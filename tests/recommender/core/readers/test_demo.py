"""The built-in data set: the same bytes everywhere, and worth learning from."""

import csv
from collections import Counter
from importlib.resources import files

import numpy as np
import pytest

from recommender.core.algorithms.base import implementation
from recommender.core.evaluation import evaluate
from recommender.core.readers.demo import YEARS, Draw, demo_source
from recommender.core.splitting import split

PINNED = "cb36248bdd3811deeed13b78ff0b5462fb88b964946de6aad6a99c555a846eeb"


@pytest.fixture(scope="module")
def demo():
    return demo_source()


@pytest.fixture(scope="module")
def films():
    text = files("recommender.core.readers").joinpath("demo_films.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_the_checksum_is_the_one_of_every_other_machine(demo):
    assert demo.checksum == PINNED


def test_another_seed_makes_other_data(demo):
    assert demo_source(seed=21).checksum != demo.checksum


def test_the_catalogue_is_wide_in_era_and_genre(films):
    assert len(films) >= 400
    decades = Counter(int(film["year"]) // 10 * 10 for film in films)
    assert all(decades[decade] >= 20 for decade in range(1920, 2030, 10))
    genres = Counter(genre for film in films for genre in film["genres"].split("|"))
    assert len(genres) == 18
    assert min(genres.values()) >= 30


def test_every_film_is_unique_and_every_year_valid(films):
    assert len({(film["title"], film["year"]) for film in films}) == len(films)
    assert all(1900 <= int(film["year"]) <= 2024 for film in films)


def test_ratings_are_half_stars_of_some_600_raters_with_20_to_250_each(demo):
    counts = np.diff(demo.ratings.indptr)
    assert demo.ratings.n_users == 600
    assert (counts.min(), counts.max()) >= (20, 200)
    assert counts.max() <= 250
    assert np.median(counts) < counts.mean()
    assert set(np.unique(demo.ratings.values)) <= set(np.arange(0.5, 5.5, 0.5).tolist())


def test_popularity_has_a_long_tail(demo):
    raters = np.sort(np.bincount(demo.ratings.indices))[::-1]
    assert raters[: len(raters) // 5].sum() > 0.5 * raters.sum()
    assert np.median(raters) < raters.mean() / 2


def test_nobody_rates_a_film_before_the_year_after_it_came_out(demo):
    years = np.array([movie.year for movie in demo.items])[demo.ratings.item_ids - 1]
    rated_in = 2018 + np.searchsorted(YEARS, demo.ratings.timestamps, side="right")
    assert np.all(years[demo.ratings.indices] < rated_in)


def test_about_half_of_the_newest_ratings_come_from_users_seen_before(demo):
    assert 0.35 < split(demo.ratings, "time-90-10", 0).facts["cold_share"] < 0.65


def test_neighbours_learn_more_from_it_than_offsets_do(demo):
    held_out = split(demo.ratings, "random-90-10", 0)
    errors = {
        name: evaluate(implementation(name)().fit(held_out.train), held_out)["rmse"]
        for name in ("bias", "user-knn")
    }
    assert errors["user-knn"] < 0.97 * errors["bias"]


def test_drawn_numbers_have_the_spread_that_was_asked_for():
    drawn = Draw(1).normal(1000, 5, np.arange(20_000))
    assert abs(drawn.mean()) < 30
    assert 980 < drawn.std() < 1020


def test_whole_numbers_below_a_limit_are_all_as_likely():
    counts = np.bincount(Draw(1).below(10, 6, np.arange(50_000)), minlength=10)
    assert counts.min() > 4_700
    assert counts.max() < 5_300
