"""The researchers' pages that take a study from draft to closed."""

import re

import pytest

from survey.models import Study
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.launching import launch_study, move_study, pilot_study
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db):
    study = prepared()
    publish(study)
    return study


@pytest.fixture
def pilot(draft):
    return pilot_study(study=draft)


@pytest.fixture
def as_rita(client, rita):
    client.force_login(rita)
    return client


def read(client, path):
    page = client.get(path).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def go(client, to):
    return client.post("/research/films/state/", {"to": to})


@pytest.fixture
def study_named_other(db):
    from tests.factories import StudyFactory

    return StudyFactory(slug="other")


def test_rita_takes_a_study_through_every_status(as_rita, draft):
    for to in ("pilot", "draft", "pilot", "running", "paused", "running", "closed"):
        assert go(as_rita, to)["Location"] == "/research/films/"
        draft.refresh_from_db()
        assert draft.status == to
    assert set(draft.events.exclude(from_status="").values_list("by", flat=True)) == {"rita"}


def test_view_permission_does_not_allow_changes(client, vera, study):
    client.force_login(vera)
    for action in ("state", "launch", "cancel", "again"):
        assert client.post(f"/research/films/{action}/", {"to": "closed"}).status_code == 403
    study.refresh_from_db()
    assert study.status == Study.Status.RUNNING


def test_view_permission_shows_no_buttons(client, vera, draft, study_named_other):
    client.force_login(vera)
    for path in ("/research/films/", "/research/other/"):
        assert '<form method="post" action="/research/' not in client.get(path).content.decode()


def test_a_step_that_cannot_be_says_why(as_rita, study):
    go(as_rita, "pilot")
    assert "films&#x27; is running." in read(as_rita, "/research/films/")
    go(as_rita, "nonsense")
    assert "no status &#x27;nonsense&#x27;" in read(as_rita, "/research/films/")


def test_the_draft_s_page_names_what_is_missing_and_offers_no_launch(as_rita, draft):
    Study.objects.update(quota=0)
    page = read(as_rita, "/research/films/")
    assert "Something is missing." in page
    assert "The quota is 0" in page
    assert "Launch the study" not in page


def test_a_pilot_shows_its_trial_answers_and_the_way_on_and_back(as_rita, pilot):
    assert "No trial answers yet." in read(as_rita, "/research/films/")
    appraiser, _ = join_study(study=pilot, kind="pilot")
    key = appraiser.assignments.first().key
    record_judgment(appraiser=appraiser, assignment_key=key, choice="left")
    page = read(as_rita, "/research/films/")
    assert "of 1 judgment (95" in page
    assert "never count among its results" in page
    assert "Launch the study" in page
    assert "Discard the trial" in page


def test_after_the_launch_the_page_waits_for_real_answers(as_rita, pilot):
    appraiser, _ = join_study(study=pilot, kind="pilot")
    key = appraiser.assignments.first().key
    record_judgment(appraiser=appraiser, assignment_key=key, choice="left")
    launch_study(study=pilot)
    page = read(as_rita, "/research/films/")
    assert "No judgments yet." in page
    assert "Pilot 1" in page


def test_the_list_says_since_when_a_study_is_what_it_is(as_rita, pilot):
    assert re.search(r"trial since \d+ \w+ \d{4}", read(as_rita, "/research/"))
    launch_study(study=pilot)
    move_study(study=pilot, to="paused")
    assert "paused since" in read(as_rita, "/research/")
