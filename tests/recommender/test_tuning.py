"""A search as a job: what it reads, stores and resumes."""

import numpy as np
import pytest

from recommender import tuning
from recommender.core.errors import FitError
from recommender.core.splitting import split
from recommender.lease import StopReason
from recommender.loaders import load_ratings
from recommender.models import Job, SearchedPreset
from recommender.selectors import find_preset
from recommender.services.submitting import submit_job, tuning_params
from tests.recommender.fake import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]


@pytest.fixture
def search(dataset):
    def submit(system: str = "bias", trials: int = 3, **request) -> Job:
        params = tuning_params(dataset=dataset, system=system, trials=trials, **request)
        return submit_job(kind="tune", params=params, announce=False)

    return submit


def test_the_best_trial_becomes_the_preset_of_its_split(search, dataset):
    job = run(search())
    trials = job.result["trials"]
    assert (job.status, len(trials), trials[0]["settings"]) == ("done", 3, {})
    best = trials[job.result["best"]]
    assert best["loss"] == min(trial["loss"] for trial in trials)
    place = {"dataset": dataset, "system": "bias", "split_seed": 0}
    name, config = find_preset(preset="searched", split="time-90-10", **place)
    assert name == "searched"
    assert {key: getattr(config, key) for key in best["settings"]} == best["settings"]
    assert find_preset(preset="searched", split="random-90-10", **place)[0] == "default"


def test_a_ranker_is_judged_by_its_lists(search):
    job = run(search("ease", trials=1, split="random-90-10"))
    assert 0 <= job.result["trials"][0]["loss"] <= 1


def test_a_search_that_was_interrupted_goes_on_with_the_next_trial(search, monkeypatch):
    whole = run(search()).result
    loss, done = tuning._loss, []

    def stop_at_the_third(params, config, parts, lease, options, number):
        done.append(number)
        if len(done) == 3:
            lease.stop = StopReason.SHUTDOWN
            lease.phase("training")
        return loss(params, config, parts, lease, options, number)

    monkeypatch.setattr(tuning, "_loss", stop_at_the_third)
    job = run(search())
    assert (job.status, len(job.result["trials"])) == ("queued", 2)
    assert run(job).result == whole
    assert done == [0, 1, 2, 2]


def test_a_search_without_any_trained_trial_fails_with_the_next_step(search, monkeypatch):
    def give_up(*args, **kwargs):
        raise FitError("The loss is no longer a number.")

    monkeypatch.setattr("recommender.core.algorithms.bias.Bias.fit", give_up)
    job = run(search())
    assert job.status == "failed"
    assert "Train the preset alone" in job.error
    assert not SearchedPreset.objects.exists()


@pytest.mark.parametrize("name", ["time-90-10", "random-90-10"])
def test_validation_ratings_are_training_ratings(dataset, name):
    parts = split(load_ratings(dataset), name)
    inner = tuning.validation_parts(parts, {"split": name, "seed": 0})
    assert inner.train.n_ratings + len(inner.test_rows) == parts.train.n_ratings
    known = parts.train.matrix()[inner.test_rows, inner.test_items]
    np.testing.assert_array_equal(known, inner.test_values)
