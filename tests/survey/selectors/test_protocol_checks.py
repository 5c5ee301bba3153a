"""What a study's protocol needs before the study can open."""

import pytest

from survey.models import Study
from survey.selectors.checklist import checklist
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db):
    study = prepared()
    publish(study)
    return study


def change(study, **fields):
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()


def course(study, **fields):
    """What is missing of a draft whose course was changed so."""
    change(study, **fields)
    return checklist(study)


def test_a_fixed_language_needs_texts_in_it(draft):
    found = course(draft, language="de", translations={})
    assert [check.need for check in found.checks if not check.is_met] == [
        "The texts are written in German"
    ]
    assert len(found.missing) == 3
    assert found.missing[0].startswith("In English only: the title.")
    assert "[translations.de] of its protocol" in found.missing[0]


def test_own_texts_count_as_texts_in_the_fixed_language(draft):
    own = {"title": "Welcher Film?", "consent_text": "Ja.", "instructions": "So."}
    assert course(draft, language="de", translations={"de": own}).is_met
    assert course(draft, translations={}, **own).is_met


def test_a_panel_that_is_not_complete_is_named_once(draft):
    found = course(draft, entry="panel", panel={"parameters": ["PID"], "person": "PID"})
    (missing,) = found.missing
    assert "outcomes is missing" in missing


def test_a_questionnaire_that_cannot_be_asked_is_named_once(draft):
    (missing,) = course(draft, after=[{"name": "age"}]).missing
    assert missing.startswith("The questionnaire after: ")


def test_a_last_day_that_has_passed_is_named(draft):
    (missing,) = course(draft, withdraw_until="2020-01-31").missing
    assert "until 2020-01-31, which has passed" in missing


def test_options_that_do_not_fit_together_are_named(draft):
    (missing,) = course(draft, n_checks=1, checks_to_pass=2).missing
    assert "checks_to_pass = 2" in missing
