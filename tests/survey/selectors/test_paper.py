"""The newest report of a data set, and the job that makes one."""

import pytest

from recommender import store
from recommender.models import Job
from recommender.services.reconciling import record_worker
from survey.selectors.paper import paper_report
from tests.factories import DatasetFactory, JobFactory
from tests.survey.reports import stored_report

pytestmark = pytest.mark.django_db


def order(dataset, status):
    return JobFactory(kind=Job.Kind.REPORT, status=status, params={"dataset": dataset.pk})


def test_without_a_job_there_is_nothing(home):
    found = paper_report(DatasetFactory())
    assert (found.made, found.job, list(found.exhibits), found.is_busy) == (None, None, [], False)


def test_a_report_of_another_data_set_is_not_shown(home):
    stored_report(DatasetFactory())
    assert paper_report(DatasetFactory()).made is None


def test_a_newer_job_is_shown_with_the_report_before(home):
    dataset = DatasetFactory()
    made, newer = stored_report(dataset), order(dataset, Job.Status.QUEUED)
    found = paper_report(dataset)
    assert (found.made, found.job, found.is_busy, found.lacks_worker) == (made, newer, True, True)


def test_an_older_failure_is_forgotten_once_there_is_a_report(home):
    dataset = DatasetFactory()
    order(dataset, Job.Status.FAILED)
    stored_report(dataset)
    assert paper_report(dataset).job is None


def test_a_damaged_report_is_told_and_not_shown(home):
    dataset = DatasetFactory()
    job = stored_report(dataset)
    (store.path(job.result["folder"]) / "paper.pdf").write_bytes(b"other")
    found = paper_report(dataset)
    assert (found.facts, "changed" in found.damage) == ({}, True)


def test_the_command_names_the_split_of_the_job(home):
    dataset = DatasetFactory()
    order(dataset, Job.Status.FAILED)
    assert paper_report(dataset).command == f"manage.py paper_report {dataset.name}"
    Job.objects.update(params={"dataset": dataset.pk, "split": "random-90-10"})
    assert paper_report(dataset).command.endswith(" --split random-90-10")


def test_trying_again_names_the_split_of_the_job_that_failed(home):
    dataset = DatasetFactory()
    stored_report(dataset)
    failed = order(dataset, Job.Status.FAILED)
    Job.objects.filter(pk=failed.pk).update(params={"dataset": dataset.pk, "split": "random-90-10"})
    found = paper_report(dataset)
    assert found.command == f"manage.py paper_report {dataset.name}"
    assert found.retry_command == f"{found.command} --split random-90-10"


def test_a_worker_of_another_queue_does_not_make_a_report(home):
    dataset = DatasetFactory()
    order(dataset, Job.Status.QUEUED)
    record_worker(name="trainer", queues=["gpu"])
    assert paper_report(dataset).lacks_worker
    record_worker(name="reporter", queues=["inference"])
    assert not paper_report(dataset).lacks_worker
