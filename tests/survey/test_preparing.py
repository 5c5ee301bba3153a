"""What a new study refuses, and what it draws and orders."""

import numpy as np
import pytest

from recommender.models import Job, Recommendation
from recommender.selectors import eligible_users
from survey.errors import StudyError
from survey.models import Arm, Study
from survey.services import preparing
from survey.services.preparing import prepare_study, publish_again
from tests.factories import DatasetFactory, TrainedModelFactory

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
def wish(dataset, models):
    return {
        "slug": "films",
        "dataset": dataset,
        "arms": models,
        "profiles": 20,
        "questions": 15,
        "appraisers": 10,
        "seed": 3,
    }


def test_a_prepared_study_is_a_draft_with_its_pool_and_arms(wish, dataset, models):
    study = prepare_study(**wish)
    eligible = eligible_users(dataset=dataset, minimum=5).tolist()
    assert study.status == Study.Status.DRAFT
    assert sorted(study.profile_pool) == eligible
    assert study.profile_pool != eligible  # drawn, not in the order of the file
    arms = list(study.arms.values_list("position", "label", "trained_model"))
    assert arms == [(0, "Autoencoder", models[0].pk), (1, "User-user KNN", models[1].pk)]


def test_one_publish_job_is_ordered_for_each_arm(wish, models):
    study = prepare_study(**wish)
    jobs = [arm.publish_job for arm in study.arms.select_related("publish_job")]
    assert [(job.kind, job.params["trained_model"], job.params["users"]) for job in jobs] == [
        (Job.Kind.PUBLISH, model.pk, study.profile_pool) for model in models
    ]


def test_the_seed_decides_the_pool(wish):
    pools = [
        prepare_study(**wish | {"slug": slug, "seed": seed}).profile_pool
        for slug, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    assert pools[0] == pools[1] != pools[2]


def test_every_profile_of_the_pool_is_long_enough(wish, dataset):
    study = prepare_study(**wish | {"minimum_profile": 8, "profiles": 15})
    assert set(study.profile_pool) <= set(eligible_users(dataset=dataset, minimum=8).tolist())


def test_the_text_an_appraiser_accepts_names_the_number_of_questions(wish):
    study = prepare_study(**wish)
    assert "There are 15 such questions" in study.consent_text
    assert "{" not in study.consent_text
    assert prepare_study(**wish | {"slug": "b", "consent_text": "Own."}).consent_text == ("Own.")


def test_no_word_for_appraisers_names_a_system_or_uses_jargon(wish):
    study = prepare_study(**wish)
    words = f"{study.title} {study.consent_text} {study.instructions}".lower()
    for word in ("autoencoder", "knn", "neighbour", "model", "assignment", "algorithm", " arm"):
        assert word not in words


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slug": "two words"}, "address"),
        ({"slug": "x" * 61}, "address"),
        ({"slug": ""}, "address"),
        ({"profiles": 14}, "more profiles, or fewer questions"),
        ({"profiles": 40}, "only 34 users"),
        ({"minimum_profile": 99}, "only 0 users"),
        ({"questions": 0}, "questions = 0"),
        ({"appraisers": -1}, "appraisers = -1"),
        ({"minimum_profile": 0}, "minimum profile = 0"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
    ],
)
def test_numbers_that_cannot_be_are_refused(wish, change, message):
    with pytest.raises(StudyError, match=message):
        prepare_study(**wish | change)
    assert not Study.objects.exists()
    assert not Job.objects.filter(kind=Job.Kind.PUBLISH).exists()


def test_a_name_is_given_once(wish):
    prepare_study(**wish)
    with pytest.raises(StudyError, match="already"):
        prepare_study(**wish)
    assert Job.objects.filter(kind=Job.Kind.PUBLISH).count() == 2


def test_a_model_does_not_compete_with_itself(wish, models):
    with pytest.raises(StudyError, match="Both arms are model"):
        prepare_study(**wish | {"arms": [models[0], models[0]]})


def test_two_arms_are_compared_or_more_but_not_one(wish, models):
    with pytest.raises(StudyError, match="two arms, or up to 8, not 1"):
        prepare_study(**wish | {"arms": models[:1]})


def test_of_three_arms_too_none_is_doubled(wish, models):
    with pytest.raises(StudyError, match="Two arms are model"):
        prepare_study(**wish | {"arms": [*models, models[0]]})


def test_arms_of_other_data_are_refused(wish, models):
    stranger = TrainedModelFactory(dataset=DatasetFactory(name="others"))
    with pytest.raises(StudyError, match="was not trained on films"):
        prepare_study(**wish | {"arms": [models[0], stranger]})


@pytest.mark.parametrize("change", [{"split": "random-90-10"}, {"split_seed": 1}])
def test_arms_of_different_splits_are_refused(wish, dataset, models, change):
    other = TrainedModelFactory(dataset=dataset, system="bias", **change)
    with pytest.raises(StudyError, match="different splits"):
        prepare_study(**wish | {"arms": [models[0], other]})


def test_arms_of_different_versions_of_the_data_are_refused(wish, dataset, models):
    other = TrainedModelFactory(dataset=dataset, system="bias", data_checksum="f" * 64)
    with pytest.raises(StudyError, match="different versions"):
        prepare_study(**wish | {"arms": [models[0], other]})


@pytest.mark.parametrize(
    ("second", "labels"),
    [
        ({"preset": "paper"}, ["Autoencoder (compact)", "Autoencoder (paper)"]),
        ({}, ["Autoencoder (compact, model {0})", "Autoencoder (compact, model {1})"]),
    ],
)
def test_arms_of_one_system_are_told_apart_by_no_more_than_is_needed(
    wish, dataset, models, second, labels
):
    other = TrainedModelFactory(dataset=dataset, system="autoencoder", **second)
    study = prepare_study(**wish | {"arms": [models[0], other]})
    expected = [label.format(models[0].pk, other.pk) for label in labels]
    assert list(study.arms.values_list("label", flat=True)) == expected


def test_what_failed_is_ordered_again_and_what_waits_is_not(wish):
    study = prepare_study(**wish)
    failed, waiting = (arm.publish_job for arm in study.arms.select_related("publish_job"))
    Job.objects.filter(pk=failed.pk).update(status=Job.Status.FAILED)
    again, still = publish_again(study=study)
    assert again.pk != failed.pk
    assert again.params == failed.params
    assert still == waiting
    assert Arm.objects.get(study=study, position=0).publish_job == again


def test_nothing_is_ordered_where_everything_is_done(wish):
    study = prepare_study(**wish)
    Job.objects.filter(kind=Job.Kind.PUBLISH).update(status=Job.Status.DONE)
    assert publish_again(study=study) == []
    assert Job.objects.filter(kind=Job.Kind.PUBLISH).count() == 2
    assert not Recommendation.objects.exists()


def test_one_user_and_one_profile_are_said_as_one(wish, monkeypatch):
    found = {"found": np.array([3])}
    monkeypatch.setattr(preparing, "eligible_users", lambda **_: found["found"])
    with pytest.raises(StudyError, match="but only 1 user of films rated 5 movies or more"):
        prepare_study(**wish)
    found["found"] = np.array([], np.int64)
    with pytest.raises(StudyError, match="1 profile is wanted, but only 0 users of"):
        prepare_study(**wish | {"profiles": 1, "questions": 1})
