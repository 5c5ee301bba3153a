"""Which profiles may be drawn: by how many movies they hold, and by their median year."""

import numpy as np
import pytest

from recommender.core.ratings import Ratings
from recommender.models import Item
from recommender.selectors import eligible_users, has_rated, median_years
from survey.protocol.fields import Protocol
from tests.factories import SCALE, DatasetFactory, small_ratings
from tests.survey.drafts import prepared

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(db):
    return DatasetFactory(name="films")


def medians_one_by_one(dataset):
    """Each user's median year, the slow and plain way."""
    years = dict(dataset.items.exclude(year=None).values_list("position", "year"))
    ratings = small_ratings()
    found = []
    for user in range(ratings.n_users):
        movies = ratings.indices[ratings.indptr[user] : ratings.indptr[user + 1]]
        known = [years[movie] for movie in movies.tolist() if movie in years]
        found.append(np.median(known) if known else np.nan)
    return found


def test_the_median_year_is_that_of_the_movies_with_a_year(dataset):
    Item.objects.filter(position__in=[0, 7, 10, 13, 16]).update(year=None)
    np.testing.assert_equal(median_years(dataset=dataset), medians_one_by_one(dataset))


def test_a_profile_without_any_year_is_in_no_era(dataset):
    Item.objects.update(year=None)
    assert np.isnan(median_years(dataset=dataset)).all()
    assert len(eligible_users(dataset=dataset, minimum=1, era=(1870, None))) == 0


def test_a_user_without_ratings_is_in_no_era():
    ratings = Ratings.from_triples(
        np.array([0, 2]), np.array([0, 1]), np.array([3.0, 4.0]), scale=SCALE,
        user_ids=np.arange(4), item_ids=np.array(["1", "2"]),
    )  # fmt: skip
    dataset = DatasetFactory(ratings=ratings)
    np.testing.assert_equal(median_years(dataset=dataset), [1950, np.nan, 1952, np.nan])


def test_size_and_era_hold_at_both_ends(dataset):
    sizes = np.diff(small_ratings().indptr)
    medians = np.array(medians_one_by_one(dataset))
    found = eligible_users(dataset=dataset, minimum=5, maximum=8, era=(1970, 1990))
    wanted = (sizes >= 5) & (sizes <= 8) & (medians >= 1970) & (medians <= 1990)
    assert found.tolist() == np.flatnonzero(wanted).tolist()
    assert 0 < len(found) < 40


@pytest.mark.parametrize("shift", [0, -1, -3])
def test_all_pairs_of_users_and_items_are_looked_up_at_once_whatever_the_ratings(home, shift):
    ratings = small_ratings()
    dataset = DatasetFactory(ratings=ratings.shifted(shift))
    users, items = (each.ravel() for each in np.indices((ratings.n_users, ratings.n_items)))
    label_of = np.arange(ratings.n_items)
    found = has_rated(dataset=dataset, users=users, labels=items, label_of=label_of)
    rated = ratings.matrix().toarray() > 0
    assert found.reshape(rated.shape).tolist() == rated.tolist()
    nobody = np.array([0]), np.array([ratings.n_items])
    assert not has_rated(dataset=dataset, users=nobody[0], labels=nobody[1], label_of=label_of)[0]
    none = np.array([], np.int64)
    assert not has_rated(dataset=dataset, users=none, labels=none, label_of=label_of).size


def test_items_with_one_label_are_looked_up_as_one(dataset):
    ratings = small_ratings()
    label_of = np.arange(ratings.n_items)[::-1] // 3
    rated = ratings.matrix().toarray() > 0
    users, labels = (each.ravel() for each in np.indices((ratings.n_users, label_of.max() + 1)))
    found = has_rated(dataset=dataset, users=users, labels=labels, label_of=label_of)
    expected = [
        rated[user, label_of == label].any() for user, label in zip(users, labels, strict=True)
    ]
    assert found.tolist() == expected


def test_the_pool_keeps_to_the_criteria(dataset):
    protocol = Protocol(maximum_profile=8, era_from=1975)
    study = prepared("other", protocol=protocol)
    wanted = eligible_users(dataset=study.dataset, minimum=5, maximum=8, era=(1975, None))
    assert sorted(study.profile_pool) == wanted.tolist()
