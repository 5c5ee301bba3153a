"""Which models a table of systems shows, and what its rows say."""

import pytest

from recommender import store
from recommender.comparison import (
    compare_rows,
    evaluation_of,
    is_same,
    open_job,
    row_of,
    trained_for,
)
from recommender.models import Dataset, Evaluation, TrainedModel
from recommender.services.comparing import plan_lines
from recommender.services.submitting import training_params
from tests.recommender.fake import FakeConfig, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]


@pytest.fixture
def plan(dataset):
    def line(system: str, **options):
        options = {"profile": "train-only", "seeds": 1} | options
        (found,) = plan_lines(dataset=dataset, systems=[system], **options)
        return found

    return line


def test_a_row_has_every_figure_of_a_system_that_predicts(start, plan):
    run(start(system="bias"))
    row = row_of(plan("bias"))
    assert (row["status"], row["uses_dates"], row["seeds"]) == ("done", False, [0])
    assert row["half_mse"] == pytest.approx(row["rmse"] ** 2 / 2)
    missing = [name for name, value in row.items() if value is None]
    assert missing == []


def test_a_training_is_the_same_under_a_former_name_and_without_later_settings(dataset):
    wanted = training_params(dataset=dataset, system="dual-autoencoder", preset="tuned")
    config = {name: value for name, value in wanted["config"].items() if name != "trust"}
    assert is_same(wanted | {"system": "autoencoder", "config": config}, wanted)
    assert not is_same(wanted | {"config": config | {"trust": 2.0}}, wanted)


def test_a_row_of_a_ranker_has_no_errors(start, plan):
    run(start(system="popularity"))
    row = row_of(plan("popularity"))
    assert (row["rmse"], row["mae"], row["coverage"]) == (None, None, None)
    assert row["ndcg_10"] is not None


def test_a_row_of_several_seeds_has_means_and_spreads(start, plan, fake):
    FakeConfig.is_network = True
    for seed in range(2):
        run(start(seed=seed))
    for found, error in zip(Evaluation.objects.order_by("pk"), (0.9, 1.1), strict=True):
        Evaluation.objects.filter(pk=found.pk).update(rmse=error)
    row = row_of(plan("fake", seeds=2))
    assert (row["rmse"], row["seeds"]) == (pytest.approx(1.0), [0, 1])
    assert row["spread"]["rmse"] == pytest.approx(0.1 * 2**0.5)


def test_a_system_whose_needs_are_missing_says_so_and_has_no_training(plan, fake):
    FakeConfig.lacked = ("tags", "timestamps")
    line = plan("fake")
    row = row_of(line)
    assert (line.params, row["status"]) == ((), "needs tags")
    assert row["rmse"] is None


def test_a_model_of_ratings_that_were_replaced_is_not_shown(start, dataset):
    run(start(system="bias"))
    params = training_params(dataset=dataset, system="bias")
    assert trained_for(params) == TrainedModel.objects.get()
    Dataset.objects.update(checksum="0" * 64)
    assert trained_for(params) is None


def test_a_model_of_another_preset_or_seed_is_not_shown(start, dataset):
    run(start(system="user-knn", seed=3))
    assert trained_for(training_params(dataset=dataset, system="user-knn")) is None
    assert trained_for(training_params(dataset=dataset, system="user-knn", seed=3))
    assert not trained_for(
        training_params(dataset=dataset, system="user-knn", seed=3, preset="lenskit")
    )


def test_an_evaluation_of_an_earlier_version_counts_as_missing(start):
    run(start(system="bias"))
    model = TrainedModel.objects.get()
    assert evaluation_of(model, "train-only")
    Evaluation.objects.update(figures={})
    assert evaluation_of(model, "train-only") is None


def test_a_waiting_job_for_the_same_model_is_found(queued):
    assert open_job("train", queued.params) == queued
    assert open_job("train", {**queued.params, "seed": 1}) is None


def test_the_users_figures_of_several_seeds_are_averaged_for_the_comparison(start, plan, fake):
    FakeConfig.is_network = True
    run(start(system="bias"))
    for seed in range(2):
        run(start(seed=seed))
    bias, both = plan("bias"), plan("fake", seeds=2)
    for place, params in enumerate(both.params):
        found = evaluation_of(trained_for(params), "train-only")
        figures = store.read_arrays(found.users, found.users_checksum)
        counts = figures["counts"]
        folder = f"evaluations/changed-{place}"
        changed = {**figures, "squared": counts * (1.0 + 2 * place), "absolute": counts * 1.0}
        found.users, found.users_checksum = folder, store.write_arrays(folder, changed)
        found.save()
    row = compare_rows([bias, both], "bias")["fake"]["rmse"]
    rmse = evaluation_of(trained_for(bias.params[0]), "train-only").rmse
    assert row["difference"] == pytest.approx(2**0.5 - rmse)
