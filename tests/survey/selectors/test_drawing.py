"""More than two arms: which pairs are asked about, and what is said of each."""

from collections import Counter
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey import pairing
from survey.errors import StudyError
from survey.models import Study
from survey.protocol.fields import Protocol
from survey.selectors.checklist import checklist
from survey.selectors.design import study_design
from survey.selectors.results import study_results
from survey.services.answering import record_judgment
from survey.services.cloning import clone_study
from survey.services.joining import join_study
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


@given(
    st.integers(1, 10),
    st.lists(st.sets(st.integers(0, 9)), max_size=60),
    st.integers(0, 2**32 - 1),
)
def test_no_pair_is_ever_two_questions_ahead_of_another(pairs, profiles, seed):
    rng = pairing.generator(seed, pairing.Stream.PAIRS)
    counts = [0] * pairs
    for possible in profiles:
        open_pairs = sorted(place for place in possible if place < pairs)
        chosen = pairing.pick_pair(counts, open_pairs, rng)
        behind = [place for place in open_pairs if counts[place] == min(counts)]
        assert chosen in behind if behind else chosen is None
        if chosen is not None:
            counts[chosen] += 1
        assert max(counts) - min(counts) <= 1


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
def test_where_all_agree_the_next_profile_is_tried_and_every_pair_is_counted():
    study = launch_study(study=ready(agree=lambda place: place in {0, 2}))
    assert (study.profiles_tried, study.agreements) == (14, 6)
    assert study.profile_pool[0] not in study.questions.values_list("user", flat=True)


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
def test_too_few_profiles_are_said_in_pairs():
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


@pytest.mark.django_db
def test_results_count_each_pair_and_each_arm_over_its_own_questions():
    study = launch_study(study=ready())
    appraiser, _ = join_study(study=study)
    for assignment in appraiser.assignments.select_related("question__first_arm"):
        # The arm that comes first in the study is always chosen.
        side = "left" if assignment.left_arm == assignment.question.first_arm else "right"
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice=side)
    found = study_results(study, kind="real")
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("Autoencoder", "User-user KNN"),
        ("Autoencoder", "Damped bias"),
        ("User-user KNN", "Damped bias"),
    ]
    totals = [pair.share.total for pair in found.pairs]
    assert sum(totals) == found.n_judgments == 10
    assert {pair.share.rate for pair in found.pairs} == {1.0}
    best, middle, last = found.arms
    assert (best.judged, best.rate) == (totals[0] + totals[1], 1.0)
    assert (middle.judged, middle.wins) == (totals[0] + totals[2], totals[2])
    assert (last.judged, last.rate) == (totals[1] + totals[2], 0.0)
    assert found.p_value is found.leader is None


@pytest.mark.django_db
def test_the_p_values_of_the_pairs_are_corrected_for_all_pairs_of_the_study():
    study = launch_study(study=ready("balanced", profiles=13))
    appraiser, _ = join_study(study=study)
    last = study.arms.last()
    main = appraiser.assignments.exclude(question__second_arm=last)  # one pair alone is judged
    for assignment in main:
        side = "left" if assignment.left_arm == assignment.question.first_arm else "right"
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice=side)
    judged, *others = study_results(study, kind="real").pairs
    assert judged.p_corrected == min(1, 3 * judged.p_value) > judged.p_value
    assert [pair.p_corrected for pair in others] == [None, None]


@pytest.mark.django_db
def test_with_two_arms_there_is_nothing_to_correct(study, ada):
    for key in ada.appraiser.assignments.values_list("key", flat=True):
        record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    found = study_results(study, kind="real")
    assert found.pairs[0].p_corrected == found.pairs[0].p_value == found.p_value
