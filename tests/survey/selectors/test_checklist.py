"""What a draft still needs is said in words, and holds every opening up."""

import pytest

from recommender.models import Job, Recommendation, TrainedModel
from survey.errors import StudyError
from survey.models import Study
from survey.selectors.checklist import checklist
from survey.services.launching import launch_study, pilot_study
from tests.factories import TrainedModelFactory
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


def test_a_draft_with_everything_lacks_nothing(draft):
    found = checklist(draft)
    assert found.met
    assert found.missing == []


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "", "Empty: the title"),
        ("consent_text", "  ", "Empty: the consent text"),
        ("instructions", "\n", "Empty: the instructions"),
        ("quota", 0, "The quota is 0"),
        ("questions_per_appraiser", 12, "Only 11 of 34 profiles"),
    ],
)
def test_each_thing_that_is_missing_is_named(field, value, words):
    study = prepared()
    publish(study, agree=lambda place: place >= 11)
    change(study, **{field: value})
    (missing,) = checklist(study).missing
    assert missing.startswith(words)


def test_arms_of_different_splits_are_named(draft):
    TrainedModel.objects.filter(arms__position=1).update(split="random-90-10")
    assert "different splits" in checklist(draft).missing[0]


def test_arms_of_another_data_set_are_named(draft):
    arm = draft.arms.first()
    arm.trained_model = TrainedModelFactory()
    arm.save()
    assert "was not trained on films" in checklist(draft).missing[0]


def test_what_is_still_being_made_is_not_known_yet(draft):
    Job.objects.update(status="queued")
    Recommendation.objects.first().delete()
    found = checklist(draft)
    assert [check.known for check in found.checks] == [True, False, False, True, True]
    assert not found.met


def test_everything_that_is_missing_is_said_at_once(draft):
    change(draft, quota=0, title="")
    for opening in (launch_study, pilot_study):
        with pytest.raises(StudyError) as refused:
            opening(study=draft)
        assert [line[:9] for line in str(refused.value).splitlines()] == ["Empty: th", "The quota"]
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


def course(study, **fields):
    """What is missing of a draft whose course was changed so."""
    change(study, **fields)
    return checklist(study)


def test_a_fixed_language_needs_words_in_it(draft):
    found = course(draft, language="de", translations={})
    assert [check.need for check in found.checks if not check.met] == [
        "The words are written in German"
    ]
    assert len(found.missing) == 3
    assert found.missing[0].startswith("In English only: the title.")
    assert "[translations.de] of its protocol" in found.missing[0]


def test_words_of_the_study_s_own_count_as_the_language_s(draft):
    own = {"title": "Welcher Film?", "consent_text": "Ja.", "instructions": "So."}
    assert course(draft, language="de", translations={"de": own}).met
    assert course(draft, translations={}, **own).met


def test_a_panel_that_is_not_complete_is_named_once(draft):
    found = course(draft, entry="panel", panel={"parameters": ["PID"], "person": "PID"})
    assert found.missing == ["A panel needs three outcomes: done, screened, failed."]


def test_a_questionnaire_that_cannot_be_asked_is_named_once(draft):
    (missing,) = course(draft, after=[{"name": "age"}]).missing
    assert missing.startswith("The questionnaire after: ")


def test_a_last_day_that_has_passed_is_named(draft):
    (missing,) = course(draft, withdraw_until="2020-01-31").missing
    assert "until 2020-01-31, which has passed" in missing


def test_practice_and_checks_need_profiles_of_their_own(draft):
    (missing,) = course(draft, n_practice=2, n_checks=1).missing
    assert "but 10 questions an appraiser and 3 for practice and checks are wanted" in missing


def test_what_does_not_fit_together_is_named(draft):
    (missing,) = course(draft, n_checks=1, checks_to_pass=2).missing
    assert "2 checks cannot be passed" in missing
