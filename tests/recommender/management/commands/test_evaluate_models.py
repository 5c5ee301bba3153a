"""The table of errors, printed or measured again."""

import json

import pytest
from django.core.management import CommandError, call_command

from recommender.models import Evaluation

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
