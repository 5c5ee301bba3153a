"""The report of the paper's exhibits, made by a job."""

import numpy as np
import pytest

from recommender import store
from recommender.core.runs import RunOptions
from recommender.loaders import load_ratings
from recommender.models import Evaluation, TrainedModel
from recommender.reporting import _has_layers, make_exhibits
from recommender.selectors import models_to_report, read_report
from recommender.services.submitting import submit_report
from tests.recommender.fake import run

pytestmark = pytest.mark.django_db(transaction=True)


def report(dataset):
    job = run(submit_report(dataset=dataset))
    assert job.status == "done", job.error
    return job


def exhibits(dataset):
    """By their labels, without drawing them."""
    models = models_to_report(dataset=dataset, split="time-90-10")
    made, _ = make_exhibits(dataset, load_ratings(dataset), "time-90-10", models, RunOptions())
    return {one.label: one for one in made}


@pytest.fixture
def trained(start, dataset):
    """The two systems of the paper, the network after one pass."""
    run(start(system="autoencoder", settings={"hidden": "8,4,8"}, epochs=1))
    run(start(system="user-knn"))
    return dataset


def test_every_exhibit_is_made_from_the_two_systems(trained):
    found = exhibits(trained)
    # The small data set has too few items for lists of neurons and too few examples for a curve.
    assert {label for label, one in found.items() if one.missing} == {"Table I", "Figure 4"}
    assert {label for label, one in found.items() if not one.missing} == {
        "Figure 1", "Figure 2", "Figure 3", "Figure 5", "Figure 6", "Table II", "Definitions",
    }  # fmt: skip
    network = found["Figure 2"].drawing["layers"]
    assert [layer["width"] for layer in network][1:-1] == [8, 4, 8]


def test_table_two_has_the_stored_errors(trained):
    rows = exhibits(trained)["Table II"].tables[0].rows
    stored = dict(Evaluation.objects.values_list("trained_model__system", "rmse"))
    assert rows[3][2:4] == [stored["user-knn"], stored["autoencoder"]]


def test_the_two_cards_are_different_items_that_the_profile_lacks(trained):
    profile, cards = exhibits(trained)["Figure 6"].tables
    titles = [row[1] for row in cards.rows]
    assert len(set(titles)) == 2
    assert not set(titles) & {row[0].partition(" (")[0] for row in profile.rows}


def test_without_models_only_the_ratings_are_shown_and_the_rest_names_its_command(dataset):
    found = exhibits(dataset)
    made = [label for label, one in found.items() if not one.missing]
    assert made == ["Figure 3", "Definitions"]
    assert found["Table II"].command == (
        f"manage.py train_models --dataset {dataset.name} --split time-90-10 "
        "--systems autoencoder,user-knn"
    )


def test_a_system_that_only_orders_items_has_no_error(start, dataset):
    run(start(system="popularity"))
    run(start(system="bias"))
    rows = exhibits(dataset)["Figure 5"].tables[0].rows
    assert [row[0] for row in rows] == ["Damped bias"]


def test_errors_have_intervals_around_them_and_are_compared_with_the_autoencoder(trained):
    rows = exhibits(trained)["Figure 5"].tables[0].rows
    for _, _, rmse, low, high, mae, mae_low, mae_high, *_ in rows:
        assert low < rmse < high
        assert mae_low < mae < mae_high
    p = {row[0]: row[-2:] for row in rows}
    assert p["Autoencoder"] == [None, None]
    assert 0 < p["User-user KNN"][0] <= p["User-user KNN"][1] <= 1


def test_models_that_differ_in_their_seed_are_one_row_with_mean_and_spread(start, dataset):
    run(start(system="bias"))
    for seed in (1, 2):
        run(start(system="autoencoder", settings={"hidden": "8,4,8"}, epochs=1, seed=seed))
    rows = exhibits(dataset)["Figure 5"].tables[0].rows
    found = {row[0]: row for row in rows}
    assert len(rows) == 2
    of_seeds = Evaluation.objects.filter(trained_model__system="autoencoder")
    stored = list(of_seeds.values_list("rmse", flat=True))
    assert found["Autoencoder"][2] == pytest.approx(np.mean(stored))
    assert found["Autoencoder"][8:10] == [2, pytest.approx(np.std(stored, ddof=1))]
    low, high = found["Autoencoder"][3:5]
    assert low < found["Autoencoder"][2] < high
    assert found["Damped bias"][8:11] == [1, None, None]
    assert found["Damped bias"][11] > 0


def test_an_evaluation_of_an_earlier_version_has_no_interval(start, dataset):
    run(start(system="bias"))
    Evaluation.objects.update(users="", users_checksum="")
    (row,) = exhibits(dataset)["Figure 5"].tables[0].rows
    assert row[2] > 0
    assert row[3:5] == [None, None]


def test_only_an_autoencoder_with_layers_is_the_papers_network(start, dataset):
    run(start(system="bias"))
    TrainedModel.objects.update(system="query-mlp", config={"hidden": [8, 4]})
    assert not any(map(_has_layers, TrainedModel.objects.all()))


def test_models_of_another_split_or_of_earlier_ratings_are_left_out(start, dataset):
    run(start(system="bias"))
    assert len(models_to_report(dataset=dataset, split="time-90-10")) == 1
    assert models_to_report(dataset=dataset, split="random-90-10") == []
    dataset.checksum = "f" * 64
    assert models_to_report(dataset=dataset, split="time-90-10") == []


def test_the_newest_model_of_a_system_and_preset_is_reported(start, dataset):
    run(start(system="bias"))
    newer = run(start(system="bias"))
    (model,) = models_to_report(dataset=dataset, split="time-90-10")
    assert model.job_id == newer.pk


def test_models_of_another_seed_of_the_split_are_not_averaged(start, dataset):
    older = run(start(system="bias", split="random-90-10", seed=1))
    TrainedModel.objects.filter(job_id=older.pk).update(split_seed=7)
    newer = run(start(system="bias", split="random-90-10", seed=2))
    (model,) = models_to_report(dataset=dataset, split="random-90-10")
    assert model.job_id == newer.pk


def test_a_report_has_every_format_and_replaces_the_one_before(dataset):
    first, second = report(dataset), report(dataset)
    files = set(read_report(second)["files"])
    assert {f"figure-3.{kind}" for kind in ("svg", "pdf", "png", "csv", "md", "tex")} <= files
    assert {"paper.pdf", "paper.md"} <= files
    folder = store.path(second.result["folder"])
    assert {file.name for file in folder.iterdir()} == files | {"report.json"}
    assert store.entries("reports") == [second.result["folder"]]
    with pytest.raises(store.StoreError):
        read_report(first)


def test_a_report_that_ends_after_a_later_one_leaves_it_alone(dataset):
    earlier, later = submit_report(dataset=dataset), submit_report(dataset=dataset)
    later = run(later)
    run(earlier)
    assert read_report(later)["files"]


def test_a_report_that_fails_leaves_no_files(dataset, monkeypatch):
    def fail(**_):
        raise store.StoreError("The disk is full.")

    monkeypatch.setattr("recommender.reporting.keep_report", fail)
    job = run(submit_report(dataset=dataset))
    assert (job.status, store.entries("reports")) == ("failed", [])
