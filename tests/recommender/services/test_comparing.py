"""What a table of systems submits: each job once, and only what is missing."""

import pytest

from recommender.core.errors import ConfigurationError
from recommender.models import Job, TrainedModel
from recommender.services.comparing import next_job, plan_lines, supported_tables
from tests.recommender.fake import FakeConfig, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick_heart")]


@pytest.fixture
def line(dataset):
    (found,) = plan_lines(dataset=dataset, systems=["bias"], profile="history", seeds=3)
    return found


def test_a_system_is_trained_then_evaluated_and_then_done(line):
    kinds = []
    while job := next_job(line, 0):
        kinds.append(run(job).kind)
    assert kinds == ["train", "evaluate"]
    assert TrainedModel.objects.get().evaluations.count() == 2


def test_a_job_that_waits_is_not_submitted_again(line):
    assert next_job(line, 0) == next_job(line, 0)
    assert Job.objects.count() == 1


def test_only_networks_are_trained_with_several_seeds(dataset, line, fake):
    FakeConfig.is_network = True
    (network,) = plan_lines(dataset=dataset, systems=["fake"], profile="train-only", seeds=3)
    assert [params["seed"] for params in network.params] == [0, 1, 2]
    assert len(line.params) == 1


def test_jobs_of_a_table_let_others_go_first(line):
    assert next_job(line, 0).params["background"]


@pytest.mark.parametrize("wrong", [{"profile": "psychic"}, {"split": "half"}])
def test_a_table_that_cannot_be_made_is_refused(dataset, wrong):
    request = {"dataset": dataset, "systems": ["bias"], "profile": "train-only", "seeds": 1}
    with pytest.raises(ConfigurationError):
        plan_lines(**(request | wrong))


def test_ratings_without_time_stamps_have_no_history(dataset):
    dataset.first_rated_at = None
    with pytest.raises(ConfigurationError, match="no time stamps"):
        plan_lines(dataset=dataset, systems=["bias"], profile="history", seeds=1)


def test_only_the_split_by_time_has_a_table_for_each_policy(dataset):
    tables, reasons = supported_tables(dataset)
    assert [name for name, _ in tables].count("time-90-10") == 3
    assert ("random-90-10", "train-only") in tables
    assert "netflix-probe" in reasons
