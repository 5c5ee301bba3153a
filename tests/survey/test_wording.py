"""The words of a new study: true for what it asks, and the same in every language."""

from datetime import date

import pytest
from django.utils import translation

from survey.protocol.fields import Protocol
from survey.protocol.questionnaires import expand
from survey.services.joining import consent_version
from survey.wording import built_in
from survey.wording import new_study as wordings
from survey.wording.new_study import wording
from survey.wording.of_study import what_awaits, words_of
from tests.factories import StudyFactory


@pytest.fixture
def spoken(monkeypatch):
    """Catalogues that know every word of German and all but one of Spanish."""

    def gettext(text):
        language = translation.get_language()
        missing = language not in {"de", "es"} or (language == "es" and text == built_in.KEPT)
        return text if missing else f"{language}: {text}"

    def ngettext(one, many, number):
        return gettext(one if number == 1 else many)

    monkeypatch.setattr(wordings, "gettext", gettext)
    monkeypatch.setattr(wordings, "ngettext", ngettext)


def test_the_plain_consent_speaks_of_nothing_that_is_not_asked():
    text = built_in.consent(15, Protocol())
    assert "There are 15 such questions. Most people need about 10 minutes." in text
    assert "personal link" not in text
    for word in ("comment", "how sure", "how well", "panel", "about yourself", "earlier one"):
        assert word not in text


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"ask_comment": True}, "You may write comments."),
        ({"ask_familiarity": True}, "how well you know the two movies; this is kept"),
        ({"ask_confidence": True}, "you say how sure you are; this is kept"),
        ({"changes": "finish"}, "the earlier one is kept too"),
        ({"entry": "panel"}, "adds its number for you"),
        ({"entry": "personal"}, "may bear a note of the researchers"),
        ({"entry": "personal"}, "Your personal link stays marked as used on that day"),
        ({"before": [{"name": "age"}]}, "kept together with the others"),
        ({"withdraw_until": date(2026, 4, 10)}, "until 2026-04-10"),
        ({}, "You can have everything erased"),
        ({}, "by our clock and by that of your device"),
        ({}, "when you agreed to take part and when you were last here"),
    ],
)
def test_the_consent_says_what_is_asked_and_kept(asked, words):
    assert words in built_in.consent(15, Protocol(**asked))


def test_what_is_asked_beside_a_choice_is_told_in_one_sentence():
    text = built_in.consent(15, Protocol(ask_familiarity=True, ask_confidence=True))
    assert "how well you know the two movies and how sure you are; this is kept as well." in text
    assert text.count("With each choice") == text.count("how sure you are") == 1


def test_one_question_of_one_minute_is_said_so():
    text = built_in.consent(1)
    assert "There is one such question. Most people need about one minute." in text


def test_practice_checks_and_repeated_questions_are_counted_as_well():
    protocol = Protocol(n_practice=2, n_checks=1, n_repeats=2, after=expand([{"builtin": "sus"}]))
    text = built_in.consent(15, protocol)
    assert "There are 20 such questions." in text
    assert "Most people need about 15 minutes." in text


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (Protocol(), "choose the one that fits a little better"),
        (Protocol(third_answer="tie"), "If both fit equally well or badly, say so."),
        (Protocol(third_answer="unsure"), "If you cannot tell, say so."),
        (Protocol(n_checks=1, checks_to_pass=1), "tells you which of the two to choose"),
        (Protocol(n_practice=1), "for practice and do not count"),
    ],
)
def test_the_instructions_fit_what_is_asked(protocol, words):
    assert words in built_in.instructions(protocol)


def test_built_in_words_are_written_in_every_language_that_has_all_of_them(spoken):
    found = wording(questions=15, protocol=Protocol())
    assert found.title == built_in.TITLE
    assert found.translations["de"]["title"] == f"de: {built_in.TITLE}"
    assert set(found.translations["de"]) == {"title", "consent_text", "instructions"}
    assert set(found.translations["es"]) == {"title", "instructions"}
    assert "zh-hans" not in found.translations


def test_given_words_are_not_mixed_with_built_in_translations(spoken):
    protocol = Protocol(translations={"de": {"title": "Eigener Titel"}})
    found = wording(questions=15, protocol=protocol, consent_text="My own consent.")
    assert found.consent_text == "My own consent."
    assert found.translations["de"]["title"] == "Eigener Titel"
    assert "consent_text" not in found.translations["de"]


@pytest.mark.django_db
def test_words_come_in_the_language_of_the_reader_or_else_as_the_study_has_them():
    study = StudyFactory(translations={"de": {"title": "Welcher Film?"}})
    assert words_of(study, "de").title == "Welcher Film?"
    assert words_of(study, "de").consent_text == study.consent_text
    assert words_of(study, "es").title == study.title


@pytest.mark.django_db
def test_what_awaits_counts_all_questions_and_items():
    study = StudyFactory(n_practice=2, after=expand([{"builtin": "sus"}]))
    assert (what_awaits(study).questions, what_awaits(study).minutes) == (17, 13)


def test_the_version_of_a_consent_is_made_of_its_words():
    assert consent_version("Yes.") == "5f9a2b795615ba6a"
    assert consent_version("Yes.") != consent_version("Yes!")
