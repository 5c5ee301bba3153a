"""A request begins in the browser's language for appraisers, and in English for everybody else."""

import pytest
from django.test import Client

from tests import pseudo


@pytest.fixture
def strange(settings, tmp_path) -> Client:
    """A browser that asks for a language from right to left, on a site that has it."""
    settings.LOCALE_PATHS = [pseudo.write(tmp_path)]
    settings.LANGUAGES = [*settings.LANGUAGES, (pseudo.CODE, "Strange")]
    return Client(headers={"Accept-Language": f"{pseudo.CODE},en;q=0.5"})


def test_an_appraisers_page_is_in_the_browsers_language(strange, study):
    page = strange.get("/s/films/").content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert "⟦Skíp tó thé cóntént⟧" in page


def test_a_study_decides_over_the_browser(strange, study):
    type(study).objects.update(language="en")
    assert '<html lang="en-gb">' in strange.get("/s/films/").content.decode()


def test_a_language_in_the_address_is_used(strange, study):
    assert '<html lang="de">' in strange.get("/s/films/?lang=de").content.decode()


def test_nobody_gets_a_language_that_there_is_not(strange, study):
    assert '<html lang="ar" dir="rtl">' in strange.get("/s/films/?lang=xx").content.decode()


def test_the_appraiser_keeps_the_language_of_the_consent(strange, ada):
    type(ada.appraiser).objects.update(language="de")
    assert '<html lang="de">' in strange.get(ada.url).content.decode()


def test_researchers_read_english_whatever_the_browser_asks(strange, rita):
    strange.force_login(rita)
    assert '<html lang="en-gb">' in strange.get("/research/").content.decode()


def test_no_language_is_left_over_for_the_next_request(strange, study):
    strange.get("/s/films/")
    assert '<html lang="en-gb">' in Client().get("/login/").content.decode()
