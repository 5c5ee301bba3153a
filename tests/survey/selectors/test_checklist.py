"""The checklist of a draft names what is missing, and prevents opening until then."""

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
    assert found.is_met
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


def test_checks_of_unfinished_work_are_not_known_yet(draft):
    Job.objects.update(status="queued")
    Recommendation.objects.first().delete()
    found = checklist(draft)
    assert [check.known for check in found.checks] == [True, False, False, True, True, True]
    assert not found.is_met


def test_everything_that_is_missing_is_listed_at_once(draft):
    change(draft, quota=0, title="")
    for opening in (launch_study, pilot_study):
        with pytest.raises(StudyError) as refused:
            opening(study=draft)
        assert [line[:9] for line in str(refused.value).splitlines()] == ["Empty: th", "The quota"]
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


def test_practice_and_checks_need_profiles_of_their_own(draft):
    change(draft, n_practice=2, n_checks=1)
    (missing,) = checklist(draft).missing
    assert "but 10 questions an appraiser and 3 for practice and checks are wanted" in missing
