"""The page of the paper's exhibits, and its files."""

import pytest

from recommender import store
from recommender.models import Job
from tests.factories import DatasetFactory, JobFactory, StudyFactory
from tests.survey.reports import EXHIBITS, MISSING, stored_report

pytestmark = pytest.mark.django_db

PAGE = "/research/data/films.1/paper/"


@pytest.fixture
def dataset(home):
    return DatasetFactory(name="films.1")


@pytest.fixture
def read(client, rita):
    client.force_login(rita)
    return lambda path=PAGE: client.get(path).content.decode()


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}job/", f"{PAGE}paper.pdf"])
def test_the_page_is_for_researchers(client, dataset, olga, path):
    assert client.get(path)["Location"] == f"/login/?next={path}"
    client.force_login(olga)
    assert client.get(path).status_code == 404


def test_every_exhibit_is_shown(read, dataset):
    stored_report(dataset)
    page = read()
    assert [one["label"] for one in EXHIBITS if f"{one['label']}. {one['title']}" not in page] == []
    assert "The order of Table II is reproduced." in page
    assert "12,345" in page


def test_a_missing_exhibit_says_why_and_what_to_run(read, dataset):
    stored_report(dataset)
    page = read()
    assert MISSING in page
    assert "manage.py train_models --dataset films" in page


def test_without_a_report_the_page_names_the_commands(read, dataset):
    assert "manage.py paper_report films.1" in read()


def test_the_page_follows_a_report_that_is_being_made(read, dataset):
    job = JobFactory(kind=Job.Kind.REPORT, status="queued", params={"dataset": dataset.pk})
    assert f'data-follow="{PAGE}job/"' in read()
    assert "Waiting for a worker" in read(f"{PAGE}job/")
    assert "data-done" not in read(f"{PAGE}job/")
    Job.objects.filter(pk=job.pk).update(status="cancelled")
    assert "data-done" in read(f"{PAGE}job/")


def test_a_failed_report_says_why(read, dataset):
    params = {"dataset": dataset.pk}
    JobFactory(kind=Job.Kind.REPORT, status="failed", params=params, error="No memory left.")
    assert "No memory left." in read()


def test_only_the_reports_files_can_be_downloaded(client, rita, dataset):
    stored_report(dataset)
    client.force_login(rita)
    sent = client.get(f"{PAGE}paper.pdf")
    assert b"".join(sent.streaming_content) == b"%PDF"
    assert sent["Content-Disposition"] == 'attachment; filename="films.1-paper.pdf"'
    for file in ("report.json", "facts.json", "..", "%2e%2e%2fstudysite.sqlite3"):
        assert client.get(f"{PAGE}{file}").status_code == 404


def test_an_unknown_data_set_is_not_found(client, rita, dataset):
    client.force_login(rita)
    assert client.get("/research/data/other/paper/").status_code == 404


def test_an_existing_study_called_data_keeps_its_pages(client, rita, home):
    StudyFactory(slug="data")
    client.force_login(rita)
    for path in ("", "jobs/", "recruit/", "judgments.csv", "design.json"):
        assert client.get(f"/research/data/{path}").status_code == 200, path
    assert client.get("/s/data/").status_code == 200


def test_a_damaged_report_names_the_command_and_not_the_first_steps(read, dataset):
    job = stored_report(dataset)
    (store.path(job.result["folder"]) / "paper.pdf").write_bytes(b"other")
    page = read()
    assert "The stored report cannot be read." in page
    assert "No report yet." not in page
