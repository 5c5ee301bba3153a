"""Which language a page has."""

import pytest
from django.test import RequestFactory
from django.utils import translation

from survey.models import Appraiser, Study
from survey.wording import languages


@pytest.fixture(autouse=True)
def own_language():
    with translation.override(None):
        yield


def chosen(*, study="", appraiser=None, address="", browser="es"):
    request = RequestFactory(headers={"Accept-Language": browser}).get(
        "/s/films/", {"lang": address}
    )
    who = None if appraiser is None else Appraiser(language=appraiser)
    return languages.activate_for(request, Study(language=study), who)


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ({"study": "de", "appraiser": "en", "address": "zh-hans"}, "de"),
        ({"appraiser": "en", "address": "zh-hans"}, "en"),
        ({"address": "zh-hans"}, "zh-hans"),
        ({"address": "xx"}, "es"),
        ({}, "es"),
        ({"browser": "fr"}, "en"),
    ],
)
def test_the_study_then_the_appraiser_the_address_and_the_browser_decide(asked, language):
    assert chosen(**asked) == language
    assert languages.active_language() == language


def test_languages_are_offered_by_their_own_names_unless_the_study_fixes_one():
    assert dict(languages.choices(Study()))["de"] == "Deutsch"
    assert dict(languages.choices(Study()))["es"] == "Español"
    assert languages.choices(Study(language="de")) == []
