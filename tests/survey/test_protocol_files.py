"""A protocol is read from a file and from flags; what cannot be is refused with its remedy."""

import re
from dataclasses import fields
from datetime import date
from pathlib import Path

import pytest

from survey.errors import StudyError
from survey.protocol import toml_file
from survey.protocol.fields import Protocol
from survey.protocol.toml_file import FORMS, day, era, protocol, read_protocol, repeats

DOCUMENTS = Path(__file__).resolve().parents[2] / "docs"


def in_document(name):
    """Every block of TOML that a document shows."""
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    return re.findall(r"^```toml\n(.*?)^```$", text, re.S | re.M)


def read(text, *, questions=15):
    content = text if isinstance(text, bytes) else text.encode()
    return read_protocol(content, name="course.toml", questions=questions)


def test_every_field_of_a_protocol_has_a_form_in_a_file():
    assert set(FORMS) == {each.name for each in fields(Protocol)}


def test_a_file_decides_everything_from_numbers_to_translations():
    found = read(
        """
        third_answer = "tie"
        ask_confidence = true
        n_repeats = "10%"
        withdraw_until = 2026-12-31
        [translations.de]
        title = "Welcher Film passt besser?"
        [panel]
        person = "PID"
        [[after]]
        builtin = "sus"
        """
    )
    assert found == {
        "third_answer": "tie",
        "ask_confidence": True,
        "n_repeats": 2,
        "withdraw_until": date(2026, 12, 31),
        "translations": {"de": {"title": "Welcher Film passt besser?"}},
        "panel": {"person": "PID"},
        "after": [{"builtin": "sus"}],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "n_practise = 2",
            "course.toml: there is no field 'n_practise'. Did you mean 'n_prac",
        ),
        ("colour = 2", "there is no field 'colour'. Choose from: pairs, "),
        ('n_checks = "2"', "course.toml: n_checks = '2' is not possible. Give a whole number"),
        ("n_checks = true", "n_checks = True is not possible"),
        ("n_checks = 2.0", "n_checks = 2.0 is not possible"),
        ("ask_comment = 1", "ask_comment = 1 is not possible. Give true or false"),
        ('before = "sus"', "before = 'sus' is not possible. Give tables [[before]]"),
        ("withdraw_until = 2026-12-31T10:00:00", "is not possible. Give a date without quotes"),
        ('withdraw_until = "soon"', "withdraw_until: 'soon' is no date"),
        ('n_repeats = "many"', "course.toml: n_repeats: 'many' repeated questions"),
        ("n_checks = ", "course.toml is not TOML"),
        (b"language = '\xff'", "course.toml is not UTF-8 text. Save it as UTF-8"),
    ],
)
def test_what_a_file_may_not_hold_is_named_with_its_remedy(text, words):
    with pytest.raises(StudyError) as refused:
        read(text)
    assert words in str(refused.value)


def test_a_value_that_cannot_be_is_refused_with_the_others_in_mind():
    with pytest.raises(StudyError, match="2 checks cannot be passed where 1 are made"):
        toml_file.protocol({"n_checks": 1, "checks_to_pass": 2})


@pytest.mark.parametrize(
    ("text", "questions", "number"),
    [("0", 15, 0), ("3", 15, 3), ("10%", 15, 2), ("10%", 4, 1), ("0%", 15, 0), ("100%", 15, 15)],
)
def test_repeats_are_a_number_or_a_share(text, questions, number):
    assert repeats(text, questions) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "%", "ten", "99999", "٣"])
def test_repeats_that_are_neither_are_refused(text):
    with pytest.raises(StudyError, match="a share of an appraiser's questions"):
        repeats(text, 15)


def test_an_era_may_be_open_at_either_end():
    assert era("1980-1999") == {"era_from": 1980, "era_to": 1999}
    assert era("1980-") == {"era_from": 1980, "era_to": None}
    assert era("-1999") == {"era_from": None, "era_to": 1999}


@pytest.mark.parametrize("text", ["", "-", "1980", "80-99", "1980-1990-2000", "a-b"])
def test_an_era_that_is_none_is_refused(text):
    with pytest.raises(StudyError, match="Write FROM-TO"):
        era(text)


def test_a_day_is_written_from_the_year_on():
    assert day("2026-12-31") == date(2026, 12, 31)
    with pytest.raises(StudyError, match="Write year, month, day"):
        day("31.12.2026")


def test_the_whole_file_in_the_documents_is_a_protocol_that_decides_nearly_everything():
    (text,) = in_document("study-protocol.md")
    made = toml_file.protocol(read(text))
    assert (made.third_answer, made.ask_familiarity, made.n_checks, made.n_repeats) == (
        "tie",
        True,
        2,
        2,
    )
    assert set(made.panel["outcomes"]) == {"done", "screened", "failed"}
    assert made.before[0]["screens_out"] == ["No"]
    assert made.before[2]["translations"]["de"]["labels"] == ["gar nicht", "sehr gut"]
    assert made.after[0] == {"builtin": "sus"}


@pytest.mark.parametrize("name", ["recruitment.md", "languages.md"])
def test_every_other_piece_of_a_file_in_the_documents_can_be_read(name):
    pieces = in_document(name)
    assert pieces
    for text in pieces:
        toml_file.protocol(read(text))


def test_a_file_cannot_call_a_panel_s_parameter_as_the_language_of_the_pages():
    text = """
        entry = "panel"
        [panel]
        parameters = ["who", "lang"]
        person = "who"
        outcomes = { done = { code = "A" }, screened = { code = "B" }, failed = { code = "C" } }
    """
    decided = read_protocol(text.encode(), name="course.toml", questions=15)
    with pytest.raises(StudyError, match="cannot be called 'lang'"):
        protocol(decided)
