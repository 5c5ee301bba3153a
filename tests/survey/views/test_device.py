"""A device on which somebody joined an open study is recognised there, and only there."""

import pytest
from django.conf import settings
from django.test import Client

from survey.models import Appraiser, Study
from survey.services.inviting import make_invitations
from survey.services.withdrawing import withdraw
from survey.views.device import COOKIE
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db
OFFER = "I am somebody else"


@pytest.fixture
def study(db):
    return StudyFactory(slug="films")


def join(client, slug="films"):
    return client.post(f"/s/{slug}/consent/")["Location"]


@pytest.mark.parametrize("status", ["running", "paused", "closed"])
def test_the_owner_of_a_lost_link_finds_it_on_the_same_device(client, study, status):
    link = join(client)
    Study.objects.update(status=status)
    page = client.get("/s/films/").text
    assert OFFER in page
    assert f'href="{link}"' in page


def test_another_device_is_asked_as_before(client, study):
    join(client)
    assert OFFER not in Client().get("/s/films/").text


def test_choosing_a_language_does_not_change_the_recognised_appraiser(client, study):
    link = join(client)
    page = client.get("/s/films/").text
    assert 'href="?lang=de"' in page
    assert f"{link}language/" not in page


def test_somebody_else_joins_on_the_same_device(client, study):
    first = join(client)
    assert client.post("/s/films/")["Location"] == "/s/films/consent/"
    assert join(client) != first
    assert Appraiser.objects.count() == 2


def test_the_cookie_is_sent_to_this_study_only(client, study):
    join(client)
    cookie = client.cookies[COOKIE]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/s/films/", True, "Lax")


def test_a_forged_cookie_recognises_nobody(client, study):
    link = join(client)
    client.cookies[COOKIE] = link.split("/")[2]
    assert OFFER not in client.get("/s/films/").text


def test_after_a_withdrawal_the_device_knows_nothing(client, study):
    link = join(client)
    client.post(f"{link}withdraw/", {"understood": "1"})
    assert client.cookies[COOKIE].value == ""
    assert OFFER not in client.get("/s/films/").text


def test_the_second_click_of_a_withdrawal_deletes_the_cookie_too(client, study):
    link = join(client)
    seal = client.get(f"{link}withdraw/").context["seal"]
    withdraw(appraiser=Appraiser.objects.get())
    client.post(f"{link}withdraw/", {"understood": "1", "seal": seal})
    assert client.cookies[COOKIE].value == ""


def test_a_withdrawal_elsewhere_is_noticed(client, study):
    join(client)
    withdraw(appraiser=Appraiser.objects.get())
    assert OFFER not in client.get("/s/films/").text


def test_a_trial_is_not_recognised_in_the_study(client, study):
    Study.objects.update(status=Study.Status.PILOT, launched_at=None)
    client.post("/s/films/consent/", {"trial": "1"})
    assert OFFER in client.get("/s/films/").text
    Study.objects.update(status=Study.Status.RUNNING, launched_at="2026-03-01T00:00Z")
    assert OFFER not in client.get("/s/films/").text


def test_a_personal_link_sets_no_cookie(client):
    study = StudyFactory(slug="invited", entry="personal")
    (link,) = make_invitations(study=study, count=1)
    client.post(f"/i/{link.token}/consent/")
    assert study.appraisers.exists()
    assert COOKIE not in client.cookies


def test_cookies_have_names_of_this_site():
    names = {COOKIE, settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert len({name.rpartition("_")[2] for name in names}) == 1
    assert not names & {"sessionid", "csrftoken"}
