"""Built-in texts are true for what a study asks."""

from datetime import date

import pytest

from survey.protocol.fields import Protocol
from survey.protocol.panels import prolific_panel
from survey.wording.built_in import write_consent, write_instructions

PROLIFIC = prolific_panel(done="A", screened="B", failed="C")


def test_the_plain_consent_mentions_only_what_is_asked():
    text = write_consent(15, Protocol())
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
        ({"entry": "panel", "panel": PROLIFIC}, "adds its number for you"),
        ({"entry": "personal"}, "may bear a note of the researchers"),
        ({"entry": "personal"}, "Your personal link stays marked as used on that day"),
        ({"before": [{"builtin": "sus"}]}, "kept together with the others"),
        ({"withdraw_until": date(2026, 4, 10)}, "until 2026-04-10"),
        ({}, "You can have everything erased"),
        ({}, "by our clock and by that of your device"),
        ({}, "when you agreed to take part and when you were last here"),
    ],
)
def test_the_consent_says_what_is_asked_and_kept(asked, words):
    assert words in write_consent(15, Protocol(**asked))


def test_what_is_asked_with_a_choice_takes_one_sentence():
    text = write_consent(15, Protocol(ask_familiarity=True, ask_confidence=True))
    assert "how well you know the two movies and how sure you are; this is kept as well." in text
    assert text.count("With each choice") == text.count("how sure you are") == 1


def test_one_question_and_one_minute_are_in_the_singular():
    text = write_consent(1, Protocol())
    assert "There is one such question. Most people need about one minute." in text


def test_practice_checks_and_repeats_are_counted():
    protocol = Protocol(n_practice=2, n_checks=1, n_repeats=2, after=[{"builtin": "sus"}])
    text = write_consent(15, protocol)
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
    assert words in write_instructions(protocol)
