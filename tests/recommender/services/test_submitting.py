"""How jobs enter, and what is refused before they enter."""

from pathlib import Path

import pytest
from kombu.exceptions import OperationalError

from recommender.core.errors import ConfigurationError
from recommender.models import Job
from recommender.services.claims import claim_job
from recommender.services.reconciling import reconcile
from recommender.services.submitting import cancel_job, submit_job, submit_publish, submit_training
from tests.factories import DatasetFactory, TrainedModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def messages(monkeypatch):
    sent = []
    monkeypatch.setattr(
        "recommender.services.submitting.current_app.send_task",
        lambda name, **how: sent.append((name, how["args"], how["queue"])),
    )
    return sent


def test_the_message_follows_the_commit(queued, messages, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = submit_job(kind="train", params={})
        assert messages == []
    assert messages == [("recommender.run_job", [str(job.pk)], "default")]


def test_a_broker_that_is_down_loses_no_job(monkeypatch, django_capture_on_commit_callbacks):
    def refuse(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr("recommender.services.submitting.current_app.send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        job = submit_job(kind="train", params={})
    job.refresh_from_db()
    assert (job.status, job.sent_at) == ("queued", None)


def test_a_job_that_is_run_at_once_is_not_announced(messages, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = submit_job(kind="train", params={}, announce=False)
        assert reconcile() == 0
    assert messages == []
    assert claim_job(job.pk, owner="ada").attempt == 1


def test_a_training_job_holds_everything_that_determines_the_model(dataset):
    job = submit_training(
        dataset=dataset, system="autoencoder", preset="compact", seed=3, split_seed=4, epochs=2
    )
    wish = job.params
    assert (wish["system"], wish["preset"], wish["config"]["epochs"]) == (
        "autoencoder",
        "compact",
        2,
    )
    assert (wish["split"], wish["split_seed"], wish["seed"]) == ("time-90-10", 4, 3)


def test_a_system_without_the_preset_uses_its_default_preset(dataset):
    job = submit_training(dataset=dataset, system="bias", preset="compact")
    assert job.params["preset"] == "default"


@pytest.mark.parametrize(
    ("request_", "value"),
    [
        ({"system": "oracle"}, "oracle"),
        ({"split": "half"}, "half"),
        ({"split": "official-u1"}, "official-u1"),
        ({"device": "abacus"}, "abacus"),
        ({"epochs": 0}, "epochs = 0"),
        ({"epochs": 10**6}, "100000"),
        ({"seed": 2**63}, "seed"),
        ({"split_seed": -1}, "split_seed = -1"),
        ({"time_limit_seconds": 2**31}, "time_limit_seconds"),
        ({"max_minutes": 1e308}, "35791394"),
        ({"max_minutes": float("inf")}, "max_minutes = inf"),
        ({"max_minutes": float("nan")}, "max_minutes = nan"),
        ({"max_minutes": 0}, "more than 0"),
        ({"max_minutes": -1}, "max_minutes = -1"),
    ],
)
def test_a_request_that_cannot_work_is_refused_and_no_job_is_created(dataset, request_, value):
    with pytest.raises(ConfigurationError, match=value):
        submit_training(**({"dataset": dataset, "system": "bias"} | request_))
    assert not Job.objects.exists()


def test_without_time_stamps_there_is_no_split_by_time(home):
    dataset = DatasetFactory(first_rated_at=None, last_rated_at=None)
    with pytest.raises(ConfigurationError, match="random-90-10"):
        submit_training(dataset=dataset, system="bias")


def test_a_publish_job_names_model_and_users(home):
    model = TrainedModelFactory()
    job = submit_publish(trained_model=model, users=[3, 1])
    assert (job.kind, job.params["trained_model"], job.params["users"]) == (
        "publish",
        model.pk,
        [3, 1],
    )


def test_cancelling_a_queued_job_removes_its_checkpoint(queued, home):
    checkpoint = Path(home) / "checkpoints" / str(queued.pk) / "attempt-1"
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text("half a model")
    assert cancel_job(queued.pk)
    assert not checkpoint.parent.exists()


def test_a_publish_job_for_an_unknown_user_is_refused(home):
    model = TrainedModelFactory()
    with pytest.raises(ConfigurationError, match="40"):
        submit_publish(trained_model=model, users=[3, 40])
