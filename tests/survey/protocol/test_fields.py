"""The options of a study: what each can be, alone and together."""

import re
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from recommender.core.readers.limits import PROFILES, SMALLEST_PROFILE
from survey.errors import StudyError
from survey.models import Study
from survey.protocol import panels
from survey.protocol.fields import Protocol, StudyPlan, read_day
from survey.protocol.problems import validated

PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")
ADULT = {
    "name": "adult",
    "text": "Are you 18 or older?",
    "kind": "choice",
    "options": ["Yes", "No"],
    "screens_out": ["No"],
}


def refusal(**values):
    with pytest.raises(StudyError) as refused:
        validated(Protocol, values, questions=15)
    return str(refused.value)


def test_every_option_has_a_description_and_a_column_with_the_same_default():
    for name, field in Protocol.model_fields.items():
        assert field.description, name
        assert Study._meta.get_field(name).get_default() in (field.default, ""), name


def test_the_json_schema_says_all_that_a_form_needs():
    schema = Protocol.model_json_schema()["properties"]
    assert set(schema) == set(Protocol.model_fields)
    assert schema["changes"]["enum"] == ["never", "previous", "finish"]
    assert (schema["n_checks"]["minimum"], schema["n_checks"]["maximum"]) == (0, 20)
    assert all(option["description"] and "default" in option for option in schema.values())


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"n_practise": 2}, "n_practise"),
        ({"n_checks": "2"}, "n_checks"),
        ({"n_checks": True}, "n_checks"),
        ({"n_checks": 21}, "n_checks"),
        ({"return_after": 4}, "return_after"),
        ({"ask_comment": 1}, "ask_comment"),
        ({"changes": "always"}, "changes"),
        ({"before": "sus"}, "before"),
        ({"before": [{"name": "age"}]}, "before"),
        ({"n_repeats": "many"}, "n_repeats"),
        ({"withdraw_until": "soon"}, "withdraw_until"),
        ({"withdraw_until": datetime(2026, 12, 31, tzinfo=UTC)}, "withdraw_until"),
        ({"retain_until": "soon"}, "retain_until"),
        ({"retain_until": date(2999, 12, 31)}, "retain_until"),
        ({"translations": {"tlh": {"title": "x"}}}, "translations"),
        ({"translations": {"de": {"heading": "x"}}}, "translations.de"),
        ({"translations": {"de": {"title": " "}}}, "translations.de.title"),
        ({"translations": {"de": {"title": "x" * 201}}}, "translations.de.title"),
        ({"n_checks": 1, "checks_to_pass": 2}, "checks_to_pass"),
        ({"era_from": 1999, "era_to": 1980}, "era_from"),
        ({"panel": PROLIFIC}, "panel"),
        ({"entry": "panel"}, "panel"),
        ({"after": [ADULT]}, "after"),
    ],
)
def test_an_impossible_option_is_refused_by_name(values, field):
    assert re.search(rf"\b{field}\b", refusal(**values))


def test_a_panel_and_questionnaires_that_fit_are_accepted():
    made = validated(Protocol, {"entry": "panel", "panel": PROLIFIC, "before": [ADULT]})
    assert (made.panel, made.before) == (PROLIFIC, [ADULT])


def test_built_in_questionnaires_are_written_out():
    assert len(Protocol(after=[{"builtin": "sus"}]).after) == 10


def test_options_cannot_be_changed_after_the_check():
    with pytest.raises(ValidationError):
        Protocol().n_checks = 3


def test_the_options_of_a_row_are_read_even_where_they_are_impossible():
    row = SimpleNamespace(**dict(Protocol()) | {"changes": "always"})
    with pytest.raises(StudyError):
        Protocol.of(row).check()


@pytest.mark.parametrize(
    ("text", "questions", "number"),
    [("0", 15, 0), ("3", 15, 3), ("10%", 15, 2), ("10%", 4, 1), ("0%", 15, 0), ("100%", 15, 15)],
)
def test_repeats_are_a_number_or_a_share(text, questions, number):
    assert validated(Protocol, {"n_repeats": text}, questions=questions).n_repeats == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "%", "ten", "99999", "٣"])
def test_repeats_that_are_neither_are_refused(text):
    assert "n_repeats" in refusal(n_repeats=text)


def test_a_day_is_written_year_first():
    assert read_day("2026-12-31") == date(2026, 12, 31)
    with pytest.raises(StudyError):
        read_day("31.12.2026")


@pytest.mark.parametrize(
    "values",
    [{"questions": 0}, {"appraisers": -1}, {"minimum_profile": 0}, {"seed": -1}, {"seed": 2**63}],
)
def test_numbers_of_a_plan_outside_their_range_are_refused_by_name(values):
    with pytest.raises(StudyError, match=f"^{next(iter(values))} = "):
        validated(StudyPlan, values)


def test_the_limits_are_those_of_a_study():
    plan = StudyPlan()
    assert (plan.minimum_profile, plan.profiles) == (SMALLEST_PROFILE, PROFILES)
