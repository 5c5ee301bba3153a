"""What appraisers see of a study's life: trial notices, pauses and the end of a trial."""

import re

import pytest

from survey.models import Appraiser
from survey.services.answering import record_judgment
from survey.services.joining import join_study, mark_instructed
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


def read(client, path):
    page = client.get(path).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def test_a_trial_says_so_at_the_door_and_makes_trial_appraisers(client, pilot):
    assert "This is a trial." in read(client, "/s/films/")
    assert '<input type="hidden" name="trial"' in client.get("/s/films/consent/").content.decode()
    client.post("/s/films/consent/", {"trial": "1"})
    assert Appraiser.objects.get().kind == "pilot"


def test_a_real_study_says_nothing_of_a_trial(client, study):
    assert "trial" not in read(client, "/s/films/")


def test_the_consent_of_a_trial_is_asked_again_once_the_study_is_open(client, pilot):
    launch_study(study=pilot)
    assert client.post("/s/films/consent/", {"trial": "1"})["Location"] == "/s/films/"
    assert not Appraiser.objects.exists()


def test_the_thanks_of_a_trial_say_that_it_was_one(client, pilot):
    appraiser, token = join_study(study=pilot, kind="pilot")
    for assignment in appraiser.assignments.all():
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice="right")
    assert "This was a trial." in read(client, f"/a/{token}/")


def test_a_trial_cut_short_by_the_launch_ends_kindly(client, pilot):
    _, token = join_study(study=pilot, kind="pilot")
    launch_study(study=pilot)
    assert "The trial has ended." in read(client, f"/a/{token}/")


def test_a_paused_study_asks_people_to_come_back_and_their_link_works_again(client, study, ada):
    mark_instructed(appraiser=ada.appraiser)
    move_study(study=study, to="paused")
    assert "taking a break" in read(client, ada.url)
    assert "taking a break" in read(client, "/s/films/")
    move_study(study=study, to="running")
    assert "Question 1 of 15" in read(client, ada.url)
