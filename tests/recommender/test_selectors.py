"""What pages, commands and studies read."""

from functools import partial

import pytest

from recommender import selectors
from recommender.models import Recommendation
from recommender.services.submitting import submit_training
from tests.factories import DatasetFactory, TrainedModelFactory, small_ratings

pytestmark = pytest.mark.django_db


def test_jobs_keep_the_order_and_take_one_query(dataset, django_assert_num_queries):
    jobs = [submit_training(dataset=dataset, system="bias") for _ in range(3)]
    ids = [jobs[2].pk, jobs[0].pk, jobs[1].pk]
    with django_assert_num_queries(1):
        assert [job.pk for job in selectors.jobs_in_order(ids)] == ids


def test_the_newest_model_of_a_system_is_found_by_data_set_and_preset(home):
    old = TrainedModelFactory(preset="compact")
    new = TrainedModelFactory(dataset=old.dataset, preset="paper")
    TrainedModelFactory(preset="compact")  # of other data
    find = selectors.newest_model
    assert find(dataset=old.dataset, system="autoencoder") == new
    assert find(dataset=old.dataset, system="autoencoder", preset="compact") == old
    assert find(dataset=old.dataset, system="bias") is None


def test_a_model_trained_under_a_former_name_is_found_and_listed_by_the_present_one(home):
    config = {"hidden": 256}
    model = TrainedModelFactory(preset="tuned, changed", config=config)
    find = partial(selectors.newest_model, dataset=model.dataset)
    assert find(system="dual-autoencoder") == model
    assert find(system="autoencoder", preset="tuned, changed") == model
    assert find(system="autoencoder") is None
    (row,) = selectors.leaderboard([model])
    assert (row["system"], row["preset"]) == ("dual-autoencoder", "tuned, hidden=256")
    assert str(model).startswith("dual-autoencoder:tuned")


def test_the_leaderboard_keeps_the_order_and_takes_one_query(home, django_assert_num_queries):
    first = TrainedModelFactory()
    second = TrainedModelFactory(dataset=first.dataset, system="bias")
    with django_assert_num_queries(1):
        rows = selectors.leaderboard([second, first])
    assert [row["system"] for row in rows] == ["bias", "autoencoder"]


def test_a_model_without_errors_has_a_row_without_figures(home):
    (row,) = selectors.leaderboard([TrainedModelFactory(evaluation=False)])
    assert (row["rmse"], row["status"]) == (None, "done")


def test_recommendations_come_with_their_items_in_one_query(home, django_assert_num_queries):
    model = TrainedModelFactory()
    movie = model.dataset.items.first()
    for user in (1, 2, 3):
        Recommendation.objects.create(trained_model=model, user=user, item=movie, score=4.0)
    with django_assert_num_queries(1):
        found = selectors.recommendations_for(trained_model=model, users=[1, 3, 9])
        assert {user: row.item.title for user, row in found.items()} == {
            1: movie.title,
            3: movie.title,
        }


def test_users_are_eligible_with_enough_ratings_and_no_fewer(dataset):
    ratings = small_ratings()
    enough = selectors.eligible_users(dataset=dataset, minimum=8)
    counts = {user: int(ratings.indptr[user + 1] - ratings.indptr[user]) for user in range(40)}
    assert enough.tolist() == [user for user, count in counts.items() if count >= 8]


def test_a_profile_contains_every_rated_item_with_its_rating(dataset, django_assert_num_queries):
    ratings = small_ratings()
    with django_assert_num_queries(1):
        profiles = selectors.profiles_of(dataset=dataset, users=[5])
    span = slice(ratings.indptr[5], ratings.indptr[6])
    assert [(movie.position, stars) for movie, stars in profiles[5]] == list(
        zip(ratings.indices[span].tolist(), ratings.values[span].tolist(), strict=True)
    )


def test_profiles_of_another_data_set_are_its_own(home):
    one, other = DatasetFactory(), DatasetFactory()
    (movie, _), *_ = selectors.profiles_of(dataset=other, users=[0])[0]
    assert movie.dataset_id == other.pk != one.pk
