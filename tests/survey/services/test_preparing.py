"""Preparing a study: what is drawn and submitted, and what is refused; deleting a draft."""

from datetime import date

import numpy as np
import pytest

from recommender.models import Job, Recommendation
from recommender.selectors import eligible_users
from survey.errors import StudyError
from survey.models import Arm, Study
from survey.protocol.fields import Protocol, StudyPlan
from survey.protocol.panels import prolific_panel
from survey.services import preparing
from survey.services.preparing import delete_draft, prepare_study, publish_again
from survey.wording.of_study import StudyTexts
from tests.factories import DatasetFactory, StudyFactory, TrainedModelFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(db):
    return DatasetFactory(name="films")


@pytest.fixture
def models(dataset):
    return [
        TrainedModelFactory(dataset=dataset, system=name) for name in ("autoencoder", "user-knn")
    ]


@pytest.fixture
def prepare(dataset, models):
    """Prepares the study ``films`` with these arms, options and numbers of its plan."""

    def call(slug="films", arms=models, texts=None, protocol=None, **numbers):
        plan = StudyPlan(**{"profiles": 20, "appraisers": 10, "seed": 3} | numbers)
        return prepare_study(
            slug=slug, dataset=dataset, arms=arms, plan=plan, texts=texts, protocol=protocol
        )

    return call


def test_a_prepared_study_is_a_draft_with_its_pool_and_arms(prepare, dataset, models):
    study = prepare()
    eligible = eligible_users(dataset=dataset, minimum=5).tolist()
    assert study.status == Study.Status.DRAFT
    assert sorted(study.profile_pool) == eligible
    assert study.profile_pool != eligible  # drawn, not in the order of the file
    arms = list(study.arms.values_list("position", "label", "trained_model"))
    assert arms == [(0, "Autoencoder", models[0].pk), (1, "User-user KNN", models[1].pk)]


def test_one_publish_job_is_submitted_for_each_arm(prepare, models):
    study = prepare()
    jobs = [arm.publish_job for arm in study.arms.select_related("publish_job")]
    assert [(job.kind, job.params["trained_model"], job.params["users"]) for job in jobs] == [
        (Job.Kind.PUBLISH, model.pk, study.profile_pool) for model in models
    ]


def test_the_seed_decides_the_pool(prepare):
    pools = [prepare(slug, seed=seed).profile_pool for slug, seed in (("a", 3), ("b", 3), ("c", 4))]
    assert pools[0] == pools[1] != pools[2]


def test_every_profile_of_the_pool_is_long_enough(prepare, dataset):
    study = prepare(minimum_profile=8, profiles=15)
    assert set(study.profile_pool) <= set(eligible_users(dataset=dataset, minimum=8).tolist())


def test_the_text_an_appraiser_accepts_names_the_number_of_questions(prepare):
    study = prepare()
    assert "There are 15 such questions" in study.consent_text
    assert "{" not in study.consent_text
    own = prepare("own", texts=StudyTexts(consent_text="Own."))
    assert own.consent_text == "Own."


def test_no_word_for_appraisers_names_a_system_or_uses_jargon(prepare):
    study = prepare()
    words = f"{study.title} {study.consent_text} {study.instructions}".lower()
    for word in ("autoencoder", "knn", "neighbour", "model", "assignment", "algorithm", " arm"):
        assert word not in words


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"slug": "two words"}, "name of a study"),
        ({"slug": "x" * 61}, "name of a study"),
        ({"slug": ""}, "name of a study"),
        ({"slug": "data"}, "part of other addresses"),
        ({"texts": StudyTexts(title="x" * 201)}, "title"),
        ({"profiles": 14}, "profiles = 14"),
        ({"profiles": 40}, "only 34 profiles"),
        ({"minimum_profile": 99}, "only 0 profiles of 99"),
        ({"protocol": Protocol(n_practice=5, n_checks=6)}, "need 26 different profiles"),
        ({"protocol": Protocol(n_repeats=16)}, "n_repeats = 16"),
        ({"protocol": Protocol(maximum_profile=4)}, "maximum_profile = 4"),
        ({"protocol": Protocol(maximum_profile=5)}, "of 5 to 5 movies"),
        ({"protocol": Protocol(era_from=2100)}, "a median year of 2100 or later"),
        ({"protocol": Protocol(withdraw_until=date(2020, 1, 1))}, "withdraw_until = 2020-01-01"),
        (
            {
                "protocol": Protocol(
                    entry="panel",
                    panel=prolific_panel(done="A", screened="B", failed="C"),
                    retain_until=date(2020, 1, 1),
                )
            },
            "retain_until = 2020-01-01",
        ),
        ({"protocol": Protocol().model_copy(update={"changes": "always"})}, "changes"),
    ],
)
def test_an_impossible_study_is_refused_before_anything_is_stored(prepare, change, where):
    with pytest.raises(StudyError, match=where):
        prepare(**change)
    assert not Study.objects.exists()
    assert not Job.objects.filter(kind=Job.Kind.PUBLISH).exists()


def test_a_name_can_be_used_once(prepare):
    prepare()
    with pytest.raises(StudyError, match="already"):
        prepare()
    assert Job.objects.filter(kind=Job.Kind.PUBLISH).count() == 2


def test_both_arms_cannot_be_the_same_model(prepare, models):
    with pytest.raises(StudyError, match="Both arms are model"):
        prepare(arms=[models[0], models[0]])


def test_one_arm_is_too_few(prepare, models):
    with pytest.raises(StudyError, match="two arms, or up to 8, not 1"):
        prepare(arms=models[:1])


def test_two_of_three_arms_cannot_be_the_same(prepare, models):
    with pytest.raises(StudyError, match="Two arms are model"):
        prepare(arms=[*models, models[0]])


def test_arms_of_other_data_are_refused(prepare, models):
    stranger = TrainedModelFactory(dataset=DatasetFactory(name="others"))
    with pytest.raises(StudyError, match="was not trained on films"):
        prepare(arms=[models[0], stranger])


@pytest.mark.parametrize("change", [{"split": "random-90-10"}, {"split_seed": 1}])
def test_arms_of_different_splits_are_refused(prepare, dataset, models, change):
    other = TrainedModelFactory(dataset=dataset, system="bias", **change)
    with pytest.raises(StudyError, match="different splits"):
        prepare(arms=[models[0], other])


def test_arms_of_different_versions_of_the_data_are_refused(prepare, dataset, models):
    other = TrainedModelFactory(dataset=dataset, system="bias", data_checksum="f" * 64)
    with pytest.raises(StudyError, match="different versions"):
        prepare(arms=[models[0], other])


@pytest.mark.parametrize(
    ("second", "labels"),
    [
        ({"preset": "paper"}, ["Autoencoder (compact)", "Autoencoder (paper)"]),
        ({}, ["Autoencoder (compact, model {0})", "Autoencoder (compact, model {1})"]),
    ],
)
def test_labels_of_arms_hold_no_more_than_is_needed(prepare, dataset, models, second, labels):
    other = TrainedModelFactory(dataset=dataset, system="autoencoder", **second)
    study = prepare(arms=[models[0], other])
    expected = [label.format(models[0].pk, other.pk) for label in labels]
    assert list(study.arms.values_list("label", flat=True)) == expected


def test_failed_jobs_are_submitted_again_and_waiting_ones_are_not(prepare):
    study = prepare()
    failed, waiting = (arm.publish_job for arm in study.arms.select_related("publish_job"))
    Job.objects.filter(pk=failed.pk).update(status=Job.Status.FAILED)
    again, still = publish_again(study=study)
    assert again.pk != failed.pk
    assert again.params == failed.params
    assert still == waiting
    assert Arm.objects.get(study=study, position=0).publish_job == again


def test_nothing_is_submitted_if_every_job_is_done(prepare):
    study = prepare()
    Job.objects.filter(kind=Job.Kind.PUBLISH).update(status=Job.Status.DONE)
    assert publish_again(study=study) == []
    assert Job.objects.filter(kind=Job.Kind.PUBLISH).count() == 2
    assert not Recommendation.objects.exists()


def test_one_profile_is_in_the_singular(prepare, monkeypatch):
    monkeypatch.setattr(preparing, "eligible_users", lambda **_: np.array([3]))
    with pytest.raises(StudyError, match="only 1 profile of 5 movies or more"):
        prepare()


def test_a_deleted_draft_frees_its_name_and_cancels_its_jobs(prepare):
    study = prepare()
    jobs = list(study.arms.values_list("publish_job", flat=True))
    delete_draft(study=study)
    assert not Study.objects.exists()
    assert not Job.objects.filter(pk__in=jobs, status=Job.Status.QUEUED).exists()


@pytest.mark.parametrize("status", [Study.Status.RUNNING, Study.Status.CLOSED])
def test_a_study_that_has_opened_cannot_be_deleted(status):
    study = StudyFactory(status=status)
    with pytest.raises(StudyError):
        delete_draft(study=study)
    assert Study.objects.filter(pk=study.pk).exists()
