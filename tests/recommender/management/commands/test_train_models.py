"""Training from the command line, through its exits and outputs."""

import json
import time

import pytest
from django.core.management import CommandError, call_command

from recommender import selectors
from recommender.core.errors import FitError
from recommender.core.readers.source import read_source
from recommender.core.systems import SYSTEMS
from recommender.management import following
from recommender.models import Job, TrainedModel
from recommender.services import claims
from recommender.services.importing import register_dataset
from recommender.services.reconciling import reconcile, record_worker
from tests.recommender.core.readers import sources
from tests.recommender.fake import FakeConfig

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = [
    *("id", "system", "preset", "split", "status", "n_train", "n_test", "cold_share"),
    *("train_rmse", "rmse", "mse", "mae", "seconds", "peak_memory_mb"),
]


def test_json_is_one_list_of_rows_with_the_agreed_keys_and_nothing_else(command):
    rows = json.loads(command("--inline", "--json", systems="user-knn,bias"))
    assert [list(row) for row in rows] == [KEYS, KEYS]
    knn, bias = rows
    assert [knn["system"], knn["preset"], knn["status"]] == ["user-knn", "paper", "done"]
    assert knn["train_rmse"] is None
    assert bias["train_rmse"] > 0
    assert bias["mse"] == pytest.approx(bias["rmse"] ** 2)
    assert {row["id"] for row in rows} == set(TrainedModel.objects.values_list("pk", flat=True))


def test_without_systems_those_of_a_first_study_are_trained(dataset, capsys):
    call_command("train_models", "--dataset", dataset.name, "--detach", "--json")
    assert len(json.loads(capsys.readouterr().out)) == 3
    wishes = [job.params for job in Job.objects.order_by("created_at")]
    assert [(wish["system"], wish["preset"]) for wish in wishes] == [
        ("dual-autoencoder", "default"),
        ("user-knn", "paper"),
        ("bias", "default"),
    ]


def test_without_json_a_table_is_printed_and_progress_goes_to_standard_error(command):
    heading, row, _ = command("--inline").splitlines()
    assert heading.split() == KEYS
    assert row.split()[1:5] == ["bias", "default", "time-90-10", "done"]
    assert "bias: evaluating" in command.told
    assert "bias: done" in command.told


def test_options_reach_the_job(command):
    command("--inline", "--split", "random-90-10", "--split-seed", "4", "--seed", "5")
    model = TrainedModel.objects.get()
    assert (model.split, model.split_seed, model.seed) == ("random-90-10", 4, 5)


def test_settings_other_than_the_preset_reach_the_model_and_its_row(command):
    words = ["--set", "user-knn.similarity=correlation", "--set", "user-knn.k=3", "--json"]
    (row,) = json.loads(command("--inline", *words, systems="user-knn"))
    model = TrainedModel.objects.get()
    assert (model.config["similarity"], model.config["k"]) == ("correlation", 3)
    assert model.preset == "paper, changed"
    assert row["preset"] == "paper, k=3, similarity=correlation"


def test_all_systems_are_those_whose_needs_the_data_set_has(command, monkeypatch, fake):
    FakeConfig.lacked = ("tags",)
    for name in set(SYSTEMS) - {"bias", "fake"}:
        monkeypatch.delitem(SYSTEMS, name)
    (row,) = json.loads(command("--inline", "--json", systems="all"))
    assert (row["system"], row["status"]) == ("bias", "done")
    assert "fake: needs tags" in command.told


def test_a_named_system_whose_needs_are_missing_is_wrong_usage(command, fake):
    FakeConfig.lacked = ("tags",)
    with pytest.raises(CommandError, match="fake needs tags") as caught:
        command("--inline", systems="bias,fake")
    assert caught.value.returncode == 2
    assert not Job.objects.exists()


def test_a_preset_that_became_a_system_is_trained_under_the_present_name(command):
    words = ["--preset", "tuned", "--epochs", "1", "--set", "autoencoder.hidden=8", "--json"]
    (row,) = json.loads(command("--inline", *words, systems="autoencoder"))
    assert (row["system"], row["preset"]) == ("dual-autoencoder", "tuned, hidden=8, epochs=1")
    assert "--systems dual-autoencoder" in command.told


def test_a_model_with_other_settings_is_not_taken_for_its_preset(command, dataset):
    command("--inline", systems="user-knn")
    plain = TrainedModel.objects.get()
    command("--inline", "--set", "user-knn.k=3", systems="user-knn")
    assert selectors.newest_model(dataset=dataset, system="user-knn", preset="paper") == plain


def test_the_precision_reaches_the_job(command):
    command("--inline", "--precision", "float32")
    assert Job.objects.get().params["precision"] == "float32"


def test_the_folds_of_a_source_are_splits(db, home, tmp_path, capsys):
    source = read_source(sources.folder(tmp_path / "ml", sources.HUNDRED, "latin-1"))
    register_dataset(name="hundred", source=source)
    words = ["--systems", "bias", "--split", "official-u1", "--inline", "--json"]
    call_command("train_models", "--dataset", "hundred", *words)
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["split"], row["n_train"], row["n_test"]) == ("official-u1", 2, 2)


def test_a_system_that_fails_ends_with_1_and_the_finished_rows_are_still_printed(command, fake):
    def give_up(options):
        raise FitError("The loss is no longer a number.")

    fake.middle = give_up
    with pytest.raises(CommandError, match="The loss is no longer a number") as caught:
        command("--inline", "--json", systems="bias,fake")
    assert caught.value.returncode == 1
    done, failed = json.loads(command.printed)
    assert (done["status"], failed["status"]) == ("done", "failed")
    assert list(failed) == KEYS
    assert (failed["id"], failed["rmse"]) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--systems", "oracle"],
        ["--systems", ""],
        ["--preset", "huge"],
        ["--split", "official-u1"],
        ["--epochs", "0"],
        ["--max-minutes", "0"],
        ["--max-minutes", "soon"],
        ["--max-minutes", "1e308"],
        ["--seed", "-1"],
        ["--seed", str(2**63)],
        ["--device", "abacus"],
        ["--dataset", "nothing-of-that-name"],
        ["--detach", "--inline"],
        ["--precision", "triple"],
        ["--set", "damping"],
        ["--set", "bias.damping=3"],
        ["--set", "bias.user_damping=much"],
        ["--set", "bias.user_damping=nan"],
        ["--set", "bias.user_damping=-1"],
        ["--set", "user-knn.k=3"],
    ],
)
def test_wrong_usage_ends_with_2_and_submits_nothing(dataset, wrong, capsys):
    from django.core.management import execute_from_command_line

    words = ["manage.py", "train_models", "--dataset", dataset.name, "--systems", "bias", *wrong]
    with pytest.raises(SystemExit) as caught:
        execute_from_command_line(words)
    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not Job.objects.exists()


def test_without_a_worker_it_ends_with_3_and_says_how_to_start_one(command):
    with pytest.raises(CommandError, match="make worker") as caught:
        command()
    assert caught.value.returncode == 3
    assert Job.objects.get().status == "queued"
    assert str(Job.objects.get().pk) in str(caught.value)


def test_a_live_worker_is_waited_for(command):
    following.NO_WORKER_SECONDS = 0.5
    started = time.monotonic()
    record_worker(name="busy@here", queues=["default"])
    with pytest.raises(CommandError):
        command()
    assert time.monotonic() - started > 0.9  # as long as it was seen, and as long again


def test_detach_prints_the_ids_and_returns(command):
    printed = command("--detach", systems="bias,user-knn")
    assert printed.split() == [str(pk) for pk in Job.objects.values_list("pk", flat=True)]
    assert set(Job.objects.values_list("status", flat=True)) == {"queued"}


def test_detach_with_json_prints_the_ids_as_a_list(command):
    assert json.loads(command("--detach", "--json")) == [str(Job.objects.get().pk)]


def test_an_inline_job_can_never_be_claimed_by_a_worker(command, fake, settings):
    settings.JOB_RESEND_SECONDS = 0
    tried = []
    fake.middle = lambda options: tried.append(
        (claims.claim_job(Job.objects.get().pk, owner="worker"), reconcile())
    )
    command("--inline", systems="fake")
    assert tried == [(None, 0)]


def test_ctrl_c_puts_an_inline_job_back_and_says_how_to_resume(command, fake):
    def interrupt(options):
        raise KeyboardInterrupt

    fake.middle = interrupt
    with pytest.raises(CommandError, match=r"put back into the queue.* cancel_jobs") as caught:
        command("--inline", systems="fake")
    assert caught.value.returncode == 130
    assert Job.objects.get().status == "queued"


def test_ctrl_c_while_following_leaves_the_job_to_the_worker(command, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "has_live_worker", interrupt)
    with pytest.raises(CommandError, match="follow_jobs") as caught:
        command()
    assert caught.value.returncode == 130
    assert Job.objects.get().status == "queued"


def test_an_unexpected_error_inline_is_one_message_with_the_next_step(command, fake):
    def crash(options):
        raise RuntimeError("a bug")

    fake.middle = crash
    with pytest.raises(CommandError, match=r"RuntimeError: a bug.*follow_jobs --inline"):
        command("--inline", systems="fake")


def test_an_unexpected_error_inline_still_prints_the_finished_rows(command, fake):
    def crash(options):
        raise RuntimeError("a bug")

    fake.middle = crash
    with pytest.raises(CommandError, match="a bug"):
        command("--inline", "--json", systems="bias,fake")
    assert [row["status"] for row in json.loads(command.printed)] == ["done", "queued"]


def test_a_split_of_mostly_unknown_users_is_explained_below_the_table(command):
    assert "user-time-90-10" in command("--inline").splitlines()[-1]
    assert len(command("--inline", "--split", "user-time-90-10").splitlines()) == 2
