"""Which questions are drawn for a study of more than two arms."""

from collections import Counter
from itertools import combinations

import pytest

from recommender.models import Item
from survey.errors import StudyError
from survey.models import Study
from survey.protocol.fields import Protocol
from survey.selectors.checklist import checklist
from survey.selectors.design import study_design
from survey.services.cloning import clone_study
from survey.services.launching import launch_study
from tests.survey.drafts import prepared, publish

SYSTEMS = ("autoencoder", "user-knn", "bias")


def ready(pairs="every", *, agree=lambda place: False, **wishes):
    """A draft of three arms whose recommendations are all there."""
    study = prepared(systems=SYSTEMS, protocol=Protocol(pairs=pairs), **wishes)
    publish(study, agree=agree)
    return study


def asked(study):
    """How many questions each pair of arms has, by their positions."""
    rows = study.questions.values_list("first_arm__position", "second_arm__position")
    return Counter(rows)


@pytest.mark.django_db
def test_every_pair_of_arms_is_asked_about_on_each_profile():
    study = launch_study(study=ready())
    assert asked(study) == dict.fromkeys(combinations(range(3), 2), 12)
    users = study.profile_pool[:12]
    assert list(study.questions.values_list("user", flat=True)) == [
        user for user in users for _ in range(3)
    ]
    assert (study.profiles_tried, study.agreements) == (12, 0)


@pytest.mark.django_db
def test_balanced_pairs_ask_one_on_each_profile_and_all_equally_often():
    study = launch_study(study=ready("balanced", profiles=13))
    assert study.questions.values("user").distinct().count() == study.questions.count() == 13
    assert sorted(asked(study).values()) == [4, 4, 5]


@pytest.mark.django_db
def test_balanced_pairs_are_drawn_by_the_seed_alone():
    first, same, other = (
        launch_study(study=ready("balanced", slug=f"films-{place}", seed=seed))
        for place, seed in enumerate([3, 3, 4])
    )
    rows = [
        list(each.questions.values_list("first_arm__position", "second_arm__position"))
        for each in (first, same, other)
    ]
    assert rows[0] == rows[1] != rows[2]


@pytest.mark.django_db
def test_if_all_arms_agree_the_next_profile_is_tried_and_every_pair_counted():
    study = launch_study(study=ready(agree=lambda place: place in {0, 2}))
    assert (study.profiles_tried, study.agreements) == (14, 6)
    assert study.profile_pool[0] not in study.questions.values_list("user", flat=True)


@pytest.mark.django_db
def test_two_items_of_the_same_title_and_year_are_an_agreement():
    study = ready()
    first, second, _ = study.arms.all()
    user = study.profile_pool[0]
    named = [arm.model.recommendations.get(user=user).item_id for arm in (first, second)]
    Item.objects.filter(pk__in=named).update(title="Emma", year=1996)
    launch_study(study=study)
    here = study.questions.filter(user=user)
    assert list(here.values_list("first_arm__position", "second_arm__position")) == [(0, 2), (1, 2)]


@pytest.mark.django_db
def test_a_pair_that_agrees_is_passed_over_and_the_others_are_asked():
    study = ready()
    first, second, _ = study.arms.all()
    user = study.profile_pool[0]
    movie = first.model.recommendations.get(user=user).item
    second.model.recommendations.filter(user=user).update(item=movie)
    launch_study(study=study)
    here = study.questions.filter(user=user)
    assert list(here.values_list("first_arm__position", "second_arm__position")) == [(0, 2), (1, 2)]
    assert (study.agreements, study.profiles_tried) == (1, 12)


@pytest.mark.django_db
def test_too_few_profiles_are_reported_as_pairs():
    with pytest.raises(StudyError, match=r"Only 9 of 34 profiles .*\(75 pairs of arms agree"):
        launch_study(study=ready(agree=lambda place: place >= 9))


@pytest.mark.django_db
def test_arms_of_which_two_differ_in_their_split_are_refused():
    study = ready()
    model = study.arms.last().model
    model.split = "random-90-10"
    model.save()
    assert "Train all on one split" in checklist(study).missing[0]


@pytest.mark.django_db
def test_the_design_holds_every_pair_and_a_copy_draws_the_same():
    study = launch_study(study=ready("balanced"))
    content = study_design(study)
    assert content["study"]["pairs"] == "balanced"
    assert [arm["position"] for arm in content["arms"]] == [0, 1, 2]
    copy = clone_study(study=study, slug="again")
    publish_jobs = [arm.publish_job for arm in copy.arms.all()]
    for job in publish_jobs:
        job.status = "done"
        job.save()
    launch_study(study=copy)
    again = study_design(Study.objects.get(pk=copy.pk))
    assert again["questions"] == content["questions"]
