"""The table of errors, printed or measured again."""

import json

import pytest
from django.core.management import CommandError, call_command

from recommender.core.errors import FitError
from recommender.models import Evaluation, Job, TrainedModel
from tests.factories import TrainedModelFactory

pytestmark = pytest.mark.django_db(transaction=True)


def test_evaluate_models_prints_the_table_of_all_models(command, capsys):
    command("--inline", systems="bias,user-knn")
    call_command("evaluate_models", "--json")
    assert [row["system"] for row in json.loads(capsys.readouterr().out)] == ["bias", "user-knn"]


def test_evaluate_models_measures_again_on_request(command, capsys):
    command("--inline")
    before = Evaluation.objects.get().rmse
    Evaluation.objects.update(rmse=9.9)
    call_command("evaluate_models", "--again", "--inline", "--json")
    (row,) = json.loads(capsys.readouterr().out)
    assert row["rmse"] == before


@pytest.mark.parametrize("number", [77, 10**30])
def test_evaluate_models_ends_with_2_for_an_unknown_model(command, number):
    command("--inline")
    with pytest.raises(CommandError, match=f"no trained model {number}") as caught:
        call_command("evaluate_models", str(number))
    assert caught.value.returncode == 2


def test_evaluate_models_without_models_says_what_to_do(db):
    with pytest.raises(CommandError, match="train_models"):
        call_command("evaluate_models")


def test_models_of_several_data_sets_are_listed_with_the_data_set(command, dataset, capsys):
    command("--inline")
    other = TrainedModelFactory()
    call_command("evaluate_models")
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[0] == "dataset"
    assert {row.split()[0] for row in rows} == {dataset.name, other.dataset.name}


@pytest.fixture
def compare(dataset, capsys):
    def run(*words: str, systems: str = "bias,popularity"):
        capsys.readouterr()
        call_command("evaluate_models", "--dataset", dataset.name, "--systems", systems, *words)
        return capsys.readouterr().out

    return run


def test_systems_are_trained_and_compared_once(compare):
    rows = json.loads(compare("--inline", "--json"))
    assert [(row["system"], row["status"]) for row in rows] == [
        ("bias", "done"),
        ("popularity", "done"),
    ]
    count = Job.objects.count()
    assert json.loads(compare("--inline", "--json")) == rows
    assert (Job.objects.count(), TrainedModel.objects.count()) == (count, 2)


def test_the_table_has_dashes_for_missing_errors_and_ends_with_the_cost(compare):
    heading, bias, popularity, cost = compare("--inline").splitlines()
    assert heading.split()[:5] == ["system", "preset", "status", "uses_dates", "rmse"]
    assert bias.split()[3] == "no"
    assert popularity.split()[4:11] == ["–"] * 7
    assert cost.startswith("2 models: ")


def test_another_policy_of_profiles_evaluates_the_same_model(compare):
    compare("--inline", systems="bias")
    (row,) = json.loads(compare("--inline", "--json", "--profile", "history", systems="bias"))
    assert row["profile"] == "history"
    assert TrainedModel.objects.get().evaluations.count() == 2


def test_a_system_that_fails_does_not_stop_the_others(compare, fake, capsys):
    def give_up(options):
        raise FitError("The loss is no longer a number.")

    fake.middle = give_up
    with pytest.raises(CommandError, match="fake failed: The loss is no longer a number"):
        compare("--inline", "--json", systems="fake,bias")
    rows = json.loads(capsys.readouterr().out)
    assert [row["status"] for row in rows] == ["failed", "done"]


def test_an_interrupted_comparison_goes_on_where_it_was(compare, fake, capsys):
    def interrupt(options):
        raise KeyboardInterrupt

    middle, fake.middle = fake.middle, interrupt
    with pytest.raises(CommandError) as caught:
        compare("--inline", systems="bias,fake")
    assert caught.value.returncode == 130
    fake.middle = middle
    rows = json.loads(compare("--inline", "--json", systems="bias,fake"))
    assert [row["status"] for row in rows] == ["done", "done"]
    assert Job.objects.count() == 2


def test_without_a_worker_a_comparison_ends_with_3(compare):
    with pytest.raises(CommandError, match="make worker") as caught:
        compare()
    assert caught.value.returncode == 3
    assert Job.objects.count() == 2


def test_a_protocol_that_is_not_known_is_refused_with_the_names(compare):
    with pytest.raises(CommandError, match=r"half.*user-time-90-10"):
        compare("--protocol", "half")


@pytest.mark.parametrize(
    "wrong",
    [
        ["--seeds", "0"],
        ["--seeds", "9999999999"],
        ["--again"],
        ["--reference", "svd"],
        ["--protocol", "official-u1"],
        ["--protocol", "all", "--profile", "history"],
    ],
)
def test_a_comparison_that_cannot_be_made_ends_with_2(compare, wrong):
    with pytest.raises(CommandError) as caught:
        compare(*wrong)
    assert caught.value.returncode == 2
    assert not Job.objects.exists()


def test_the_others_are_compared_with_a_reference_over_users(compare):
    words = ["--inline", "--json", "--protocol", "random-90-10", "--reference", "bias"]
    bias, knn, ranker = json.loads(compare(*words, systems="bias,user-knn,popularity"))
    assert bias["compared"] is None
    found = knn["compared"]["rmse"]
    assert found["difference"] == pytest.approx(knn["rmse"] - bias["rmse"])
    assert found["low"] <= found["difference"] <= found["high"]
    assert ranker["compared"]["rmse"]["difference"] is None
    assert ranker["compared"]["ndcg_10"]["p_holm"] >= ranker["compared"]["ndcg_10"]["p"]
    table = compare(*words[:1], *words[2:], systems="bias,user-knn,popularity")
    assert "Differences from bias, over users:" in table


def test_a_former_name_and_the_present_one_are_one_system(compare):
    with pytest.raises(CommandError, match="make worker"):
        compare("--preset", "tuned", systems="autoencoder,dual-autoencoder")
    assert [job.params["system"] for job in Job.objects.all()] == ["dual-autoencoder"]


def test_every_protocol_of_the_data_set_has_a_table_and_the_others_a_reason(compare):
    written = compare("--inline", "--protocol", "all", systems="bias")
    titles = [line for line in written.splitlines() if ", profiles " in line]
    assert [title.split(", ")[:2] for title in titles] == [
        ["time-90-10", "profiles train-only"],
        ["time-90-10", "profiles history"],
        ["time-90-10", "profiles all-but-target"],
        ["random-90-10", "profiles train-only"],
        ["user-time-90-10", "profiles train-only"],
        ["leave-last-out", "profiles train-only"],
    ]
    assert "No table for official-u1: official-u1 needs the official fold 'u1'" in written
    assert written.splitlines()[-1].startswith("4 models: ")
    assert "This command took " in written


def test_figures_of_users_that_were_changed_are_reported_after_the_table(compare, capsys):
    words = ["--inline", "--json", "--reference", "bias"]
    compare(*words, systems="bias,user-knn")
    Evaluation.objects.filter(trained_model__system="user-knn").update(users_checksum="0" * 64)
    with pytest.raises(CommandError, match="no differences from bias"):
        compare(*words, systems="bias,user-knn")
    assert [row["compared"] for row in json.loads(capsys.readouterr().out)] == [None, None]


def test_models_of_an_unknown_data_set_are_wrong_usage(db):
    with pytest.raises(CommandError, match="no data set 'nothing'") as caught:
        call_command("evaluate_models", "--dataset", "nothing")
    assert caught.value.returncode == 2
