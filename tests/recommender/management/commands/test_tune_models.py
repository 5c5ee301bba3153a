"""The search for settings from the command line."""

import json

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Job, TrainedModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tune(dataset, capsys):
    def run(*words: str, systems: str = "bias"):
        capsys.readouterr()
        options = ["--dataset", dataset.name, "--systems", systems, "--trials", "2", *words]
        call_command("tune_models", *options)
        return capsys.readouterr().out

    return run


def test_every_system_gets_the_same_trials_once(tune):
    rows = json.loads(tune("--inline", "--json", systems="bias,ease,random"))
    assert [(row["status"], row["trials"]) for row in rows] == [
        ("done", 2),
        ("done", 2),
        ("nothing to search", None),
    ]
    assert json.loads(tune("--inline", "--json", systems="bias,ease,random")) == rows
    assert Job.objects.count() == 2


def test_the_table_shows_the_settings_that_were_found(tune):
    heading, row = tune("--inline").splitlines()
    assert heading.split() == [
        *("system", "status", "trials", "preset_loss", "best_loss", "settings"),
    ]
    assert row.split()[:3] == ["bias", "done", "2"]


def test_training_uses_what_was_found(tune, command):
    tune("--inline")
    command("--inline", "--preset", "searched")
    model = TrainedModel.objects.get()
    assert model.preset == "searched"
    assert model.config == Job.objects.get(kind="tune").searched_presets.get().config


@pytest.mark.parametrize("wrong", [["--trials", "0"], ["--protocol", "official-u1"]])
def test_a_search_that_cannot_be_made_ends_with_2(tune, wrong):
    with pytest.raises(CommandError) as caught:
        tune(*wrong)
    assert caught.value.returncode == 2
    assert not Job.objects.exists()


def test_without_a_worker_the_jobs_stay_queued(tune):
    with pytest.raises(CommandError, match="make worker") as caught:
        tune()
    assert caught.value.returncode == 3
    assert Job.objects.get().status == "queued"
