"""How often each arm was chosen, alone and against each other arm."""

import pytest

from survey import figures
from survey.selectors.results import study_results
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.launching import launch_study
from survey.stats.intervals import clopper_pearson
from tests.survey.drafts import prepared, publish
from tests.survey.judging import judge
from tests.survey.selectors.test_drawing import ready

pytestmark = pytest.mark.django_db


def test_the_rate_of_each_arm_comes_with_its_exact_interval(study):
    judge(study, "a" * 11 + "b" * 4)
    judge(study, "a" * 10 + "b" * 5)
    found = study_results(study, kind="real")
    first, second = found.arms
    assert (first.label, first.wins, first.judged, first.rate) == ("Autoencoder", 21, 30, 0.7)
    assert (first.share.low, first.share.high) == clopper_pearson(21, 30)
    assert (second.wins, second.rate) == (9, 0.3)
    assert figures.headline(found)["arm"] == first
    assert found.p_value == pytest.approx(0.0428, abs=1e-4)


def test_sides_are_counted_as_shown_and_as_chosen(study):
    who = judge(study, "a" * 15)
    found = study_results(study, kind="real")
    first, second = found.arms
    on_left = who.assignments.filter(left_arm__position=0).count()
    assert (first.shown_left, second.shown_left) == (on_left, 15 - on_left)
    assert abs(first.shown_left - second.shown_left) == 1
    assert (first.chosen_left, second.chosen_left) == (on_left, 0)
    assert (found.trust["sides"].share.count, found.trust["sides"].share.total) == (on_left, 15)
    assert found.trust["sides"].p_value > 0.5


def test_an_arm_that_names_the_same_few_movies_is_known_by_their_number():
    study = prepared()
    publish(study)
    launch_study(study=study)
    same = study.dataset.items.exclude(position=None).last()
    tried = study.profile_pool[: study.profiles_tried]
    first, second = study.arms.all()
    first.model.recommendations.filter(user__in=tried).update(item=same)
    named = second.model.recommendations.filter(user__in=tried).values("item").distinct().count()
    arms = study_results(study, kind="real").arms
    assert [(arm.named.n_different, len(arm.named.items)) for arm in arms] == [(1, 12), (named, 12)]
    assert named > 1


@pytest.mark.django_db
def test_results_count_each_pair_and_each_arm_over_its_own_questions():
    study = launch_study(study=ready())
    appraiser, _ = join_study(study=study)
    for assignment in appraiser.assignments.select_related("question__first_arm"):
        # The arm that comes first in the study is always chosen.
        side = "left" if assignment.left_arm == assignment.question.first_arm else "right"
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice=side)
    found = study_results(study, kind="real")
    assert [(pair["first"], pair["second"]) for pair in found.pairs] == [
        ("Autoencoder", "User-user KNN"),
        ("Autoencoder", "Damped bias"),
        ("User-user KNN", "Damped bias"),
    ]
    totals = [pair["share"].total for pair in found.pairs]
    assert sum(totals) == found.n_judgments == 10
    assert {pair["share"].rate for pair in found.pairs} == {1.0}
    best, middle, last = found.arms
    assert (best.judged, best.rate) == (totals[0] + totals[1], 1.0)
    assert (middle.judged, middle.wins) == (totals[0] + totals[2], totals[2])
    assert (last.judged, last.rate) == (totals[1] + totals[2], 0.0)
    assert found.p_value is figures.headline(found) is None


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
    assert judged["p_corrected"] == min(1, 3 * judged["p_value"]) > judged["p_value"]
    assert [pair["p_corrected"] for pair in others] == [None, None]


@pytest.mark.django_db
def test_with_two_arms_there_is_nothing_to_correct(study, ada):
    for key in ada.appraiser.assignments.values_list("key", flat=True):
        record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    found = study_results(study, kind="real")
    assert found.pairs[0]["p_corrected"] == found.pairs[0]["p_value"] == found.p_value
