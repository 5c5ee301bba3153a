"""Which queue, priority, lane and devices a job gets."""

import pytest

from recommender.core.systems import SYSTEMS, config_to_dict
from recommender.models import Job
from recommender.queues import devices_of, lane_of, priority_of, queue_of
from recommender.services.reconciling import record_worker
from tests.factories import TrainedModelFactory

pytestmark = pytest.mark.django_db


def training(system: str, *, device: str = "auto", **params) -> Job:
    config = config_to_dict(SYSTEMS[system].preset()[1])
    values = {"system": system, "config": config, "device": device, **params}
    return Job(kind=Job.Kind.TRAIN, params=values)


def job_on_model(kind: str, system: str) -> Job:
    config = config_to_dict(SYSTEMS[system].preset()[1])
    model = TrainedModelFactory(system=system, config=config)
    return Job(kind=kind, params={"trained_model": model.pk, "device": "auto"})


@pytest.fixture
def card(db):
    record_worker(name="big@here", queues=["gpu"], has_card=True)


def test_a_network_is_trained_where_a_card_is(card):
    assert queue_of(training("autoencoder")) == "gpu"


def test_without_a_card_a_network_is_trained_with_the_others(db):
    record_worker(name="small@here", queues=["gpu", "inference", "default"])
    assert queue_of(training("autoencoder")) == "default"


def test_a_card_in_a_worker_of_other_queues_does_not_count(db):
    record_worker(name="big@here", queues=["inference"], has_card=True)
    assert queue_of(training("autoencoder")) == "default"


def test_a_network_that_is_to_use_the_processor_does_not_wait_for_a_card(card):
    assert queue_of(training("autoencoder", device="cpu")) == "default"


def test_a_quick_system_does_not_wait_for_a_card(card):
    assert queue_of(training("bias")) == "default"


def test_publications_and_evaluations_have_a_queue_of_their_own(home, card):
    for kind in (Job.Kind.PUBLISH, Job.Kind.EVALUATE):
        assert queue_of(job_on_model(kind, "autoencoder")) == "inference"


def test_a_job_of_an_unknown_system_waits_in_the_default_queue(card):
    """A worker takes it and records the reason."""
    assert queue_of(Job(kind=Job.Kind.TRAIN, params={"system": "gone", "config": {}})) == "default"


def test_what_somebody_waits_for_goes_first_and_tables_last(home):
    jobs = [
        job_on_model(Job.Kind.PUBLISH, "bias"),
        training("bias"),
        training("autoencoder"),
        training("bias", background=True),
    ]
    assert [priority_of(job) for job in jobs] == [0, 3, 6, 9]


def test_quick_trainings_do_not_share_the_lane_of_networks(home):
    assert lane_of(training("bias")) == lane_of(training("user-knn"))
    lanes = {
        lane_of(training("bias")),
        lane_of(training("autoencoder")),
        lane_of(job_on_model(Job.Kind.PUBLISH, "autoencoder")),
    }
    assert len(lanes) == 3


def test_only_networks_use_a_card_unless_told(home):
    assert devices_of(training("bias")) == ("cpu",)
    assert devices_of(training("bias", device="cuda")) == ("cuda",)
    assert devices_of(training("autoencoder")) == ("auto",)


def test_inference_uses_the_processor_while_the_card_is_busy(home):
    assert devices_of(job_on_model(Job.Kind.PUBLISH, "autoencoder")) == ("auto", "cpu")
