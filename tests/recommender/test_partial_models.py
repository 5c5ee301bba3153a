"""Training that ends when its time is up, and goes on when it is asked for again."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import call_command
from django.db import OperationalError

from recommender import jobs, selectors, store
from recommender.core.training import loop
from recommender.management.tables import error_table
from recommender.models import Evaluation, Job, TrainedModel
from recommender.services.publishing import keep_trained_model
from recommender.services.reconciling import remove_stray_files
from tests.recommender.fake import run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]

MOMENT = 1e-9  # minutes: over with the first step


@pytest.fixture
def train(start):
    """Train a small autoencoder; its model."""

    def model(**params) -> TrainedModel:
        job = run(start(**({"system": "autoencoder", "epochs": 3} | params)))
        assert job.status == "done", job.error
        return job.trained_model

    return model


def arrays(model: TrainedModel) -> dict[str, np.ndarray]:
    return store.read_artefact(model.artefact, model.artefact_checksum)[0]


def same(left: TrainedModel, right: TrainedModel) -> bool:
    pairs = zip(arrays(left).items(), arrays(right).items(), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def examples(model: TrainedModel) -> int:
    return model.loss_curve[-1][0]


def test_a_model_whose_time_ran_out_is_stored_evaluated_and_marked(train):
    model = train(max_minutes=MOMENT)
    n_train = Evaluation.objects.get(trained_model=model).n_train
    assert model.status == "partial"
    assert 0 < examples(model) < 3 * n_train
    assert model.job.result == {"status": "partial"}
    assert "(partial)" in str(model)
    (row,) = selectors.leaderboard([model])
    assert row["status"] == "partial"
    assert row["rmse"] > 0


def test_the_same_training_resumes_and_ends_as_if_never_stopped(train, home):
    first = train(max_minutes=MOMENT)
    second = train(max_minutes=MOMENT)
    assert examples(second) > examples(first)
    assert store.entries("partials") == [f"partials/{second.job_id}-1"]
    last = train()
    assert last.status == "done"
    assert store.entries("partials") == store.entries("checkpoints") == []
    assert same(last, train())  # which found nothing to go on from


@pytest.mark.parametrize("other", [{"seed": 1}, {"split_seed": 1}, {"epochs": 4}])
def test_a_different_training_starts_fresh_and_keeps_the_partial_model(train, other):
    params = {"split": "random-90-10", "max_minutes": MOMENT}
    first = train(**params)
    second = train(**params, **other)
    again = train(**params)
    assert examples(first) == examples(second) < examples(again)


@pytest.mark.parametrize(
    "elsewhere", [{"device": "cuda: H100"}, {"library_versions": {"torch": "1.0"}}]
)
def test_a_partial_model_of_another_device_is_left_alone(train, elsewhere):
    first = train(max_minutes=MOMENT)
    here = {"device": first.device, "library_versions": first.library_versions}
    TrainedModel.objects.filter(pk=first.pk).update(**elsewhere)
    second = train(max_minutes=MOMENT)
    assert examples(second) == examples(first)
    assert len(store.entries("partials")) == 2
    second.delete()
    TrainedModel.objects.filter(pk=first.pk).update(**here)
    assert examples(train(max_minutes=MOMENT)) > examples(first)


def test_a_training_resumed_by_another_version_of_the_code_names_both(train, monkeypatch):
    monkeypatch.setattr(jobs, "code_version", lambda: "1+core.old")
    first = train(max_minutes=MOMENT)
    assert (first.code_version, first.begun_with) == ("1+core.old", [])
    monkeypatch.setattr(jobs, "code_version", lambda: "2+core.new")
    second = train(max_minutes=MOMENT)
    assert examples(second) > examples(first)
    assert (second.code_version, second.begun_with) == ("2+core.new", ["1+core.old"])
    facts = store.read_artefact(second.artefact, second.artefact_checksum)[1]
    assert facts["begun_with"] == ["1+core.old"]


def test_an_attempt_resumed_by_another_version_of_the_code_names_both(long_training, monkeypatch):
    monkeypatch.setattr(jobs, "code_version", lambda: "1+core.old")
    keeping(monkeypatch, before=OperationalError("the server is away"))
    with pytest.raises(jobs.Crashed):
        run(long_training)
    monkeypatch.setattr(jobs, "code_version", lambda: "2+core.new")
    assert run(long_training).trained_model.begun_with == ["1+core.old"]


def test_a_fresh_training_names_no_earlier_versions(train, monkeypatch):
    monkeypatch.setattr(jobs, "code_version", lambda: "1+core.old")
    train(max_minutes=MOMENT)
    train()
    monkeypatch.setattr(jobs, "code_version", lambda: "2+core.new")
    assert train().begun_with == []


def test_the_table_and_the_json_name_the_versions_that_trained_a_model(train, monkeypatch):
    monkeypatch.setattr(jobs, "code_version", lambda: "1+core.old")
    train(max_minutes=MOMENT)
    monkeypatch.setattr(jobs, "code_version", lambda: "2+core.new")
    model = train()
    (row,) = selectors.leaderboard([model])
    assert (row["begun_with"], row["code_version"]) == (["1+core.old"], "2+core.new")
    last_line = error_table([row]).splitlines()[-1]
    assert all(part in last_line for part in (f"Model {model.pk} ", "1+core.old", "2+core.new"))


def test_the_checkpoint_of_a_partial_model_is_kept(train):
    kept = train(max_minutes=MOMENT)
    stray = store.path(f"partials/{kept.job_id}-2")
    stray.write_bytes(b"of an attempt that lost its claim")
    remove_stray_files()
    assert store.entries("partials") == [f"partials/{kept.job_id}-1"]
    assert not stray.exists()


def test_work_before_a_crash_counts(train, start):
    job = start(system="autoencoder", epochs=3, max_minutes=10)
    Job.objects.filter(pk=job.pk).update(worked_seconds=601)
    assert run(job).trained_model.status == "partial"


@pytest.fixture
def long_training(start, monkeypatch):
    """Queued: its time is up after ten steps, by a clock that every step moves on by a second."""
    ticks = iter(range(10**9))
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    return start(system="autoencoder", epochs=1000, max_minutes=9.5 / 60)


def hours_passed(job) -> None:
    Job.objects.filter(pk=job.pk).update(worked_seconds=10_000)


def keeping(monkeypatch, *, before=None, after=None) -> list[int]:
    """Raise ``before`` or ``after`` a model's rows are written, once; the examples it has seen."""
    keep, seen = keep_trained_model, []

    def interrupted(*, model, **values):
        seen.append(model["loss_curve"][-1][0])
        monkeypatch.setattr(jobs, "keep_trained_model", keep)
        if before:
            raise before
        keep(model=model, **values)
        raise after

    monkeypatch.setattr(jobs, "keep_trained_model", interrupted)
    return seen


class Killed(BaseException):
    pass


def run_to_its_death(job, monkeypatch) -> None:
    with monkeypatch.context() as patches:
        patches.setattr(jobs, "_end", lambda *args, **values: None)  # the dead tidy nothing up
        with pytest.raises(Killed):
            run(job)


def test_an_error_of_the_database_at_the_end_loses_nothing(long_training, monkeypatch):
    seen = keeping(monkeypatch, before=OperationalError("the server is away"))
    with pytest.raises(jobs.Crashed):
        run(long_training)
    hours_passed(long_training)
    model = run(long_training).trained_model
    assert (model.status, model.job.attempts) == ("partial", 2)
    assert [examples(model)] == seen
    assert store.entries("partials") == [f"partials/{long_training.pk}-2"]
    assert store.entries("checkpoints") == []


def test_an_attempt_with_time_left_resumes_where_the_error_occurred(long_training, monkeypatch):
    seen = keeping(monkeypatch, before=OperationalError("the server is away"))
    with pytest.raises(jobs.Crashed):
        run(long_training)
    assert examples(run(long_training).trained_model) > seen[0]


def test_an_error_after_the_rows_were_written_leaves_the_model_as_it_is(
    long_training, monkeypatch, train
):
    seen = keeping(monkeypatch, after=OperationalError("no answer to COMMIT"))
    with pytest.raises(jobs.Crashed):
        run(long_training)
    long_training.refresh_from_db()
    assert (long_training.status, long_training.attempts) == ("done", 1)
    assert store.entries("partials") == [f"partials/{long_training.pk}-1"]
    assert examples(train(epochs=1000, max_minutes=MOMENT)) > seen[0]


def test_a_worker_killed_before_the_rows_are_written_loses_nothing(
    long_training, monkeypatch, expire
):
    seen = keeping(monkeypatch, before=Killed())
    run_to_its_death(long_training, monkeypatch)
    hours_passed(long_training)
    expire(long_training.pk)
    remove_stray_files()
    model = run(long_training).trained_model
    assert (model.status, model.job.attempts) == ("partial", 2)
    assert [examples(model)] == seen
    assert store.entries("partials") == [f"partials/{long_training.pk}-2"]


def test_a_worker_killed_after_the_rows_were_written_loses_nothing(
    long_training, monkeypatch, train
):
    seen = keeping(monkeypatch, after=Killed())
    run_to_its_death(long_training, monkeypatch)
    remove_stray_files()
    assert store.entries("partials") == [f"partials/{long_training.pk}-1"]
    assert store.entries("checkpoints") == []
    assert examples(train(epochs=1000, max_minutes=MOMENT)) > seen[0]


def test_the_time_until_an_error_counts(start, fake, settings):
    settings.JOB_LEASE_SECONDS = 600  # an error comes long before the first beat

    def crash(options):
        raise RuntimeError("a bug")

    fake.middle = crash
    job = start()
    with pytest.raises(jobs.Crashed):
        run(job)
    assert Job.objects.get().worked_seconds > 0


def test_a_partial_model_of_a_former_name_is_resumed_under_the_present_one(train):
    first = train(system="dual-autoencoder", preset="tuned", max_minutes=MOMENT)
    TrainedModel.objects.update(system="autoencoder")
    second = train(system="autoencoder", preset="tuned", max_minutes=MOMENT)
    assert second.system == "dual-autoencoder"
    assert examples(second) > examples(first)


def test_a_study_takes_the_newest_model_that_is_done(train, dataset):
    done = train()
    partial = train(seed=1, max_minutes=MOMENT)
    assert partial.pk > done.pk
    assert selectors.newest_model(dataset=dataset, system="autoencoder") == done


def test_the_command_prints_partial_and_succeeds(dataset, capsys):
    words = ["--dataset", dataset.name, "--systems", "autoencoder", "--inline", "--json"]
    call_command("train_models", *words, "--epochs", "3", "--max-minutes", str(MOMENT))
    printed, told = capsys.readouterr()
    assert [row["status"] for row in json.loads(printed)] == ["partial"]
    assert "autoencoder: partial" in told
    call_command("train_models", *words, "--epochs", "3")
    assert [row["status"] for row in json.loads(capsys.readouterr().out)] == ["done"]


def test_a_system_without_passes_is_never_partial(train):
    assert train(system="bias", epochs=None, max_minutes=MOMENT).status == "done"


def test_a_checkpoint_is_written_as_often_as_the_settings_say(start, fake, settings):
    settings.JOB_CHECKPOINT_SECONDS = 7
    seen = []
    fake.middle = seen.append
    run(start(max_minutes=2))
    assert seen[0].checkpoint_seconds == 7
    assert 119 < seen[0].max_seconds <= 120
    assert isinstance(seen[0].checkpoint, Path)
