"""Choosing a language: by links on the way in, by buttons where it is stored."""

import re

import pytest

from survey.models import Appraiser, Study
from survey.protocol import panels
from survey.services.joining import join_study
from survey.tokens import new_token
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db


def links(response):
    return re.findall(r'<a href="([^"]*)" hreflang', response.content.decode())


def spoken(response):
    return re.search(r'<html lang="([^"]+)"', response.content.decode())[1]


def test_the_languages_are_links_that_keep_what_a_panel_sent(client):
    StudyFactory(
        slug="films", entry="panel", panel=panels.prolific_panel(done="A", screened="B", failed="C")
    )
    page = client.get("/s/films/?PROLIFIC_PID=1&STUDY_ID=2&SESSION_ID=3&lang=de")
    assert "?PROLIFIC_PID=1&amp;STUDY_ID=2&amp;SESSION_ID=3&amp;lang=es" in links(page)
    assert len(links(page)) == 3


def test_every_page_has_the_title_in_its_language(client):
    study = StudyFactory(slug="films", translations={"de": {"title": "Filme im Vergleich"}})
    _, token = join_study(study=study, language="de")
    for path in ("/s/films/?lang=de", "/s/films/consent/?lang=de", f"/a/{token}/"):
        assert "<title>Filme im Vergleich</title>" in client.get(path).content.decode()


def test_the_choice_of_language_is_passed_on_and_stored_with_the_consent(client, study):
    consent = client.post("/s/films/?lang=es")["Location"]
    assert consent == "/s/films/consent/?lang=es"
    assert spoken(client.get(consent)) == "es"
    client.post(consent, {"ticket": new_token(), "lang": "es"})
    assert Appraiser.objects.get().language == "es"


@pytest.mark.parametrize("status", [Study.Status.CLOSED, Study.Status.PAUSED])
def test_visitors_who_cannot_join_can_choose_a_language(client, study, status):
    type(study).objects.update(status=status)
    assert len(links(client.get("/s/films/"))) == 3


def test_the_private_pages_offer_buttons_and_no_links(client, ada):
    page = client.get(ada.url)
    assert links(page) == []
    assert page.content.decode().count('name="speak"') == 3


def test_another_language_lasts_and_leaves_the_consent_as_it_was(client, ada):
    accepted = ada.appraiser.consent_text
    assert client.post(f"{ada.url}language/", {"speak": "de"})["Location"] == ada.url
    assert spoken(client.get(ada.url)) == "de"
    ada.appraiser.refresh_from_db()
    assert (ada.appraiser.language, ada.appraiser.consent_text) == ("de", accepted)


@pytest.mark.parametrize(("fixed", "asked"), [("", "xx"), ("es", "de")])
def test_no_language_is_taken_that_is_not_offered(client, ada, fixed, asked):
    Study.objects.update(language=fixed)
    client.post(f"{ada.url}language/", {"speak": asked})
    ada.appraiser.refresh_from_db()
    assert ada.appraiser.language == ""


def test_a_study_of_one_language_offers_none(client, study, ada):
    Study.objects.update(language="de")
    for address in ("/s/films/", "/s/films/consent/", ada.url, f"{ada.url}break/"):
        page = client.get(address)
        assert (spoken(page), "language-names" in page.content.decode()) == ("de", False)


def test_a_private_link_that_is_not_there_says_so_in_the_browsers_language(client):
    page = client.get("/a/unknown/", headers={"Accept-Language": "es"})
    assert (page.status_code, spoken(page)) == (404, "es")
    assert "No hay nada en este enlace." in page.content.decode()
