"""Recommendations and errors of models that were trained before."""

import time
from pathlib import Path

import numpy as np
import pytest

from recommender import jobs, lease, store
from recommender.core.algorithms.bias import Bias
from recommender.core.metrics import UserFigures
from recommender.core.neighbours.predictions import PlainPredictor
from recommender.core.splitting import split
from recommender.loaders import load_ratings
from recommender.models import Evaluation, Item, Recommendation, TrainedModel
from recommender.services import submitting
from recommender.services.reconciling import remove_stray_files
from recommender.services.submitting import submit_evaluation, submit_publish
from tests.recommender.fake import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]


def until_a_beat_has_read_it():
    """The wish to cancel, by which the only run of this process stops at its next report."""
    (held,) = lease._held
    deadline = time.monotonic() + 120
    while held.stop is None and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.mark.parametrize("system", ["bias", "popularity", "random", "ease", "implicit-als"])
def test_publishing_stores_the_best_unseen_movie_of_each_profile(start, dataset, system):
    run(start(system=system))
    model = TrainedModel.objects.get()
    run(submit_publish(trained_model=model, users=[7, 3, 3]))
    ratings = load_ratings(dataset)
    rows = Recommendation.objects.order_by("user")
    assert [row.user for row in rows] == [3, 7]
    for row in rows:
        profile = ratings.indices[ratings.indptr[row.user] : ratings.indptr[row.user + 1]]
        assert row.item.position not in profile
        assert (row.rank, row.tied >= 1) == (1, True)


def test_publishing_recommends_no_duplicate_of_a_rated_movie(start, dataset):
    run(start(system="bias"))
    model = TrainedModel.objects.get()
    run(submit_publish(trained_model=model, users=[3]))
    best = Recommendation.objects.get().item
    Recommendation.objects.all().delete()
    ratings = load_ratings(dataset)
    rated = Item.objects.get(dataset=dataset, position=int(ratings.indices[ratings.indptr[3]]))
    Item.objects.filter(pk=best.pk).update(title=rated.title, year=rated.year)
    run(submit_publish(trained_model=model, users=[3]))
    assert Recommendation.objects.get().item != best


def test_a_tied_recommendation_counts_the_ties(start, dataset):
    run(start())  # the fake gives every movie the same stars
    run(submit_publish(trained_model=TrainedModel.objects.get(), users=[0]))
    ratings = load_ratings(dataset)
    known = split(ratings, "time-90-10").train.indices
    assert Recommendation.objects.get().tied == len(
        np.setdiff1d(known, ratings.indices[: ratings.indptr[1]])
    )


def test_publishing_again_changes_nothing_and_adds_what_is_new(start):
    run(start(system="bias"))
    model = TrainedModel.objects.get()
    run(submit_publish(trained_model=model, users=[1]))
    first = Recommendation.objects.get()
    assert run(submit_publish(trained_model=model, users=[1])).status == "done"
    again = run(submit_publish(trained_model=model, users=[1, 2]))
    assert again.status == "done"
    assert sorted(Recommendation.objects.values_list("user", flat=True)) == [1, 2]
    assert Recommendation.objects.get(user=1).pk == first.pk


def test_publishing_reports_progress_and_can_be_cancelled_between_blocks(start, monkeypatch):
    run(start(system="bias"))
    monkeypatch.setattr(Bias, "block_cells", 2 * 30)  # two profiles of 30 movies
    job = submit_publish(trained_model=TrainedModel.objects.get(), users=range(10))
    seen = []

    def cancel(step):
        if step.phase == "recommending":
            seen.append((step.done, step.total))
            if step.done == 4:
                submitting.cancel_job(job.pk)
                until_a_beat_has_read_it()

    monkeypatch.setattr(lease, "WATCH_SECONDS", 0)
    jobs.run_job(job.pk, owner="ada", watch=cancel)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert seen == [(0, 10), (2, 10), (4, 10)]
    assert not Recommendation.objects.exists()


def test_an_evaluation_reports_progress(start, monkeypatch):
    monkeypatch.setattr(lease, "WATCH_SECONDS", 0)
    seen = []
    jobs.run_job(start(system="bias").pk, owner="ada", watch=seen.append)
    n_test = Evaluation.objects.get().n_test
    assert [step.done for step in seen if (step.phase, step.total) == ("evaluating", n_test)] == [0]


def test_neighbours_stop_in_the_middle_of_their_evaluation_when_cancelled(start, monkeypatch):
    monkeypatch.setattr(lease, "WATCH_SECONDS", 0)
    monkeypatch.setattr(PlainPredictor, "pairs_at_once", 1)
    job, seen = start(system="user-knn"), []

    def cancel(step):
        if step.phase == "evaluating" and step.total:
            seen.append((step.done, step.total))
            submitting.cancel_job(job.pk)
            until_a_beat_has_read_it()

    jobs.run_job(job.pk, owner="ada", watch=cancel)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert 0 < len(seen) < 5 < seen[0][1]
    assert not TrainedModel.objects.exists()


def measured() -> dict:
    """All that the one evaluation says, except where its figures by user lie."""
    row = Evaluation.objects.values().get()
    return {name: value for name, value in row.items() if name != "users"}


def test_evaluating_again_gives_the_same_errors(start):
    run(start(system="bias"))
    before = measured()
    Evaluation.objects.update(rmse=9.9)
    job = run(submit_evaluation(trained_model=TrainedModel.objects.get()))
    assert (job.status, measured()) == ("done", before)


def test_the_figures_by_user_add_up_to_the_errors(start):
    run(start(system="bias"))
    found = Evaluation.objects.get()
    by_user = UserFigures.from_arrays(store.read_arrays(found.users, found.users_checksum))
    assert by_user.counts.sum() == found.n_test
    assert by_user.squared.sum() / found.n_test == pytest.approx(found.mse)


def test_an_evaluation_under_another_policy_is_a_row_of_its_own(start):
    run(start(system="bias"))
    model = TrainedModel.objects.get()
    assert run(submit_evaluation(trained_model=model, profile="history")).status == "done"
    policies = Evaluation.objects.order_by("policy").values_list("policy", flat=True)
    assert list(policies) == ["history", "train-only"]


def test_figures_by_user_that_were_measured_again_are_removed(start, home):
    run(start(system="bias"))
    run(submit_evaluation(trained_model=TrainedModel.objects.get()))
    remove_stray_files()
    kept = Evaluation.objects.get().users
    assert [f"evaluations/{path.name}" for path in (home / "evaluations").iterdir()] == [kept]


def test_a_modified_artefact_is_refused(start, home):
    run(start(system="bias"))
    model = TrainedModel.objects.get()
    (Path(home) / model.artefact / "facts.json").write_text("{}")
    job = run(submit_publish(trained_model=model, users=[1]))
    assert job.status == "failed"
    assert "was changed after it was written" in job.error


def test_a_dual_autoencoder_stored_under_its_former_name_gives_the_same_results(start):
    run(start(system="dual-autoencoder", preset="tuned", epochs=1))
    TrainedModel.objects.update(system="autoencoder")
    model, before = TrainedModel.objects.get(), measured()
    assert (model.preset, model.config["epochs"], model.config["dual_members"]) == ("tuned", 1, 1)
    assert run(submit_publish(trained_model=model, users=[3])).status == "done"
    assert Recommendation.objects.get().user == 3
    run(submit_evaluation(trained_model=model))
    assert measured() == before
