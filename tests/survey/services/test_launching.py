"""A draft becomes a running study: once, whole, and only when everything is there."""

import pytest

from recommender.models import Job, Recommendation
from recommender.selectors import profiles_of
from survey.errors import StudyClosed, StudyError
from survey.models import Question, Study
from survey.selectors.results import study_results
from survey.services.joining import join_study
from survey.services.launching import launch_study
from tests.factories import NOW
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db):
    return prepared()


def test_launching_keeps_the_wanted_number_of_questions_and_opens_the_study(draft):
    publish(draft)
    study = launch_study(study=draft, now=NOW)
    assert (study.status, study.launched_at) == (Study.Status.RUNNING, NOW)
    assert list(study.questions.values_list("number", "user")) == list(
        enumerate(study.profile_pool[:12], start=1)
    )


def test_a_question_holds_the_whole_profile_best_first(draft):
    publish(draft)
    launch_study(study=draft)
    question = draft.questions.first()
    (rated,) = profiles_of(dataset=draft.dataset, users=[question.user]).values()
    assert {tuple(pair) for pair in question.profile} == {(m.pk, stars) for m, stars in rated}
    stars = [stars for _, stars in question.profile]
    assert stars == sorted(stars, reverse=True)


def test_each_arm_s_recommendation_is_stored_with_its_arm(draft):
    publish(draft)
    launch_study(study=draft)
    for question in draft.questions.all():
        for arm, movie in (
            (question.first_arm, question.first_item),
            (question.second_arm, question.second_item),
        ):
            row = Recommendation.objects.get(trained_model=arm.trained_model, user=question.user)
            assert row.item == movie


def test_agreements_are_passed_over_and_counted_as_far_as_was_tried(draft):
    publish(draft, agree=lambda place: place in {0, 3, 4, 20})
    study = launch_study(study=draft)
    assert (study.agreements, study.profiles_tried) == (3, 15)
    kept = [user for place, user in enumerate(study.profile_pool[:15]) if place not in {0, 3, 4}]
    assert list(study.questions.values_list("user", flat=True)) == kept


def test_fewer_than_the_wanted_profiles_still_make_a_study(draft):
    publish(draft, agree=lambda place: place >= 11)
    study = launch_study(study=draft)
    assert study.questions.count() == 11
    assert study.profiles_tried == len(study.profile_pool)


def test_fewer_than_an_appraiser_s_questions_do_not(draft):
    publish(draft, agree=lambda place: place >= 9)
    with pytest.raises(StudyError, match="Only 9 of 34 profiles"):
        launch_study(study=draft)
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT
    assert not Question.objects.exists()


def test_one_missing_recommendation_holds_the_launch_up(draft):
    publish(draft, done=False)
    Recommendation.objects.first().delete()
    with pytest.raises(StudyError, match="1 of 34 recommendations of Autoencoder"):
        launch_study(study=draft)


def test_a_failed_job_is_named_with_its_reason(draft):
    Job.objects.filter(kind=Job.Kind.PUBLISH).update(status="failed", error="Out of memory.")
    with pytest.raises(StudyError, match=r"Out of memory\. .*launch_study films"):
        launch_study(study=draft)


def test_a_user_who_rated_everything_is_skipped(draft):
    publish(draft)
    Recommendation.objects.filter(user=draft.profile_pool[0]).delete()
    study = launch_study(study=draft)
    assert study.questions.count() == 12
    assert study.profile_pool[0] not in study.questions.values_list("user", flat=True)


def test_a_recommendation_from_the_profile_itself_is_refused(draft):
    publish(draft)
    user = draft.profile_pool[0]
    (rated,) = profiles_of(dataset=draft.dataset, users=[user]).values()
    Recommendation.objects.filter(user=user, trained_model=draft.arms.first().trained_model).update(
        item=rated[0][0]
    )
    with pytest.raises(StudyError, match="Autoencoder recommended"):
        launch_study(study=draft)


def test_a_study_is_launched_once(draft):
    publish(draft)
    stale = Study.objects.get(pk=draft.pk)
    launch_study(study=draft)
    for late in (draft, stale):
        with pytest.raises(StudyError, match="launched before"):
            launch_study(study=late)
    assert Question.objects.count() == 12


def test_nobody_joins_a_draft(draft):
    with pytest.raises(StudyClosed):
        join_study(study=draft)


def test_ties_are_reported_over_the_profiles_tried(draft):
    publish(draft, tied=lambda place: {0: 3, 1: 9, 2: 5, 30: 100}.get(place, 1))
    launch_study(study=draft)
    for arm in study_results(draft, kind="real").arms:
        assert len(arm.named.items) == 12
        assert arm.named.tied_share == pytest.approx(3 / 12)
        assert arm.named.tied_median == 5
