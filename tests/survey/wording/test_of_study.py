"""A study's own and built-in texts, in every language."""

import pytest
from django.utils import translation

from survey.protocol.fields import Protocol
from survey.protocol.questionnaires import expand_items
from survey.services.joining import consent_version
from survey.wording import built_in, of_study
from survey.wording.of_study import StudyTexts, expected_effort, write_texts
from tests.factories import StudyFactory


@pytest.fixture
def catalogues(monkeypatch):
    """Catalogues that know every word of German and all but one of Spanish."""

    def gettext(text):
        language = translation.get_language()
        missing = language not in {"de", "es"} or (language == "es" and text == built_in.KEPT)
        return text if missing else f"{language}: {text}"

    def ngettext(one, many, number):
        return gettext(one if number == 1 else many)

    monkeypatch.setattr(of_study, "gettext", gettext)
    monkeypatch.setattr(of_study, "ngettext", ngettext)


def test_built_in_texts_are_written_in_every_language_that_has_all_of_them(catalogues):
    found = write_texts(StudyTexts(), questions=15, protocol=Protocol())
    assert found.title == built_in.TITLE
    assert found.translations["de"]["title"] == f"de: {built_in.TITLE}"
    assert set(found.translations["de"]) == {"title", "consent_text", "instructions"}
    assert set(found.translations["es"]) == {"title", "instructions"}
    assert "zh-hans" not in found.translations


def test_own_texts_are_not_combined_with_built_in_translations(catalogues):
    protocol = Protocol(translations={"de": {"title": "Eigener Titel"}})
    own = StudyTexts(consent_text="My own consent.")
    found = write_texts(own, questions=15, protocol=protocol)
    assert found.consent_text == "My own consent."
    assert found.translations["de"]["title"] == "Eigener Titel"
    assert "consent_text" not in found.translations["de"]


@pytest.mark.django_db
def test_a_text_without_translation_is_that_of_the_study_itself():
    study = StudyFactory(translations={"de": {"title": "Welcher Film?"}})
    assert study.texts_in("de")["title"] == "Welcher Film?"
    assert study.texts_in("de")["consent_text"] == study.consent_text
    assert study.texts_in("es")["title"] == study.title


@pytest.mark.django_db
def test_the_expected_effort_counts_all_questions_and_items():
    study = StudyFactory(n_practice=2, after=expand_items([{"builtin": "sus"}]))
    effort = expected_effort(study)
    assert effort == {"questions": 17, "minutes": 13}


def test_the_version_of_a_consent_is_a_digest_of_its_text():
    assert consent_version("Yes.") == "5f9a2b795615ba6a"
    assert consent_version("Yes.") != consent_version("Yes!")
