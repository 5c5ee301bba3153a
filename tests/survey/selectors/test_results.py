"""What the results page shows, from judgments whose every figure is known."""

import pytest

from survey.models import Study
from survey.selectors.question import question_page, question_profile
from survey.selectors.results import study_results
from survey.selectors.studies import study_list
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.launching import launch_study
from survey.stats.intervals import clopper_pearson
from tests.factories import NOW, StudyFactory
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


def judge(study, *, kind="real", first_wins=15, answers=15):
    """One appraiser who chooses the first arm in the first ``first_wins`` of her questions."""
    appraiser, _ = join_study(study=study, kind=kind, now=NOW)
    first_arm = study.arms.get(position=0)
    for place, assignment in enumerate(appraiser.assignments.order_by("position")[:answers]):
        wants_first = place < first_wins
        choice = "left" if (assignment.left_arm == first_arm) == wants_first else "right"
        record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice=choice, now=NOW)
    return appraiser


def test_the_rate_of_each_arm_comes_with_its_exact_interval(study):
    judge(study, first_wins=11)
    judge(study, first_wins=10)
    found = study_results(study, kind="real")
    first, second = found.arms
    assert (first.label, first.wins, first.judged, first.rate) == ("Autoencoder", 21, 30, 0.7)
    assert (first.low, first.high) == clopper_pearson(21, 30)
    assert (second.wins, second.rate) == (9, 0.3)
    assert found.leader == first
    assert found.p_value == pytest.approx(0.0428, abs=1e-4)


def test_counts_tell_judgments_appraisers_and_who_finished(study):
    judge(study, answers=4)
    found = study_results(study, kind="real")
    assert (found.n_questions, found.n_questions_judged) == (20, 4)
    judge(study)
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.n_appraisers, found.n_finished) == (19, 2, 1)
    assert found.first_answered_at == found.last_answered_at == NOW


def test_kinds_are_never_mixed(study):
    judge(study, first_wins=15)
    judge(study, kind="simulated", first_wins=0)
    judge(study, kind="simulated", first_wins=0, answers=5)
    real, simulated = (study_results(study, kind=kind) for kind in ("real", "simulated"))
    assert real.kinds == simulated.kinds == {"real": 15, "pilot": 0, "simulated": 20}
    assert (real.arms[0].wins, real.n_judgments, real.n_appraisers) == (15, 15, 1)
    assert (simulated.arms[0].wins, simulated.n_judgments, simulated.n_appraisers) == (0, 20, 2)
    assert study_results(study, kind="pilot").n_judgments == 0


def test_studies_are_never_mixed(study):
    other = StudyFactory(slug="other", dataset=study.dataset)
    judge(other)
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.n_appraisers, found.kinds["real"]) == (0, 0, 0)


def test_sides_are_counted_as_shown_and_as_chosen(study):
    who = judge(study, first_wins=15)
    found = study_results(study, kind="real")
    first, second = found.arms
    on_left = who.assignments.filter(left_arm__position=0).count()
    assert (first.shown_left, second.shown_left) == (on_left, 15 - on_left)
    assert abs(first.shown_left - second.shown_left) == 1
    assert (first.chosen_left, second.chosen_left) == (on_left, 0)
    assert (found.side_balance.count, found.side_balance.total) == (on_left, 15)
    assert found.side_p_value > 0.5


def test_a_habit_of_the_left_shows_in_the_side_balance_alone(study):
    for _ in range(2):
        appraiser, _ = join_study(study=study)
        for assignment in appraiser.assignments.all():
            record_judgment(appraiser=appraiser, assignment_key=assignment.key, choice="left")
    found = study_results(study, kind="real")
    assert found.side_balance.rate == 1.0
    assert found.side_p_value < 1e-8
    assert 14 <= found.arms[0].wins <= 16


def test_without_judgments_there_are_no_rates(study):
    found = study_results(study, kind="real")
    assert found.n_judgments == 0
    assert [arm.rate for arm in found.arms] == [None, None]
    assert found.p_value is found.side_balance is found.leader is found.last_answered_at is None


def test_a_draft_has_results_without_figures(study):
    Study.objects.filter(pk=study.pk).update(status="draft", launched_at=None, profiles_tried=0)
    study.refresh_from_db()
    assert study_results(study, kind="real").arms[0].tied_share is None


def test_an_even_split_has_no_leader(study):
    judge(study, first_wins=2, answers=4)
    assert study_results(study, kind="real").leader is None


def test_the_error_table_holds_the_study_s_systems_in_their_order(study):
    rows = study_results(study, kind="real").error_table
    assert [(row["label"], row["system"], row["rmse"]) for row in rows] == [
        ("Autoencoder", "autoencoder", 1.05),
        ("User-user KNN", "user-knn", 1.05),
    ]


def test_loss_curves_are_shown_of_systems_that_have_one(study):
    (curve,) = study_results(study, kind="real").loss_curves
    assert curve.label == "Autoencoder"
    assert curve.points == [(1000, 1.4), (2000, 1.1), (3000, 1.0)]


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
    assert [(arm.movies_named, arm.profiles_compared) for arm in arms] == [(1, 12), (named, 12)]
    assert named > 1


def test_results_ask_a_constant_number_of_queries(study, django_assert_num_queries):
    for judged in range(3):
        with django_assert_num_queries(10):
            study_results(study, kind="real")
        judge(study, kind=("real", "simulated")[judged % 2])


def test_the_list_counts_real_and_simulated_apart_in_one_query(study, django_assert_num_queries):
    judge(study)
    judge(study, answers=3)
    judge(study, kind="simulated")
    StudyFactory(slug="newer", dataset=study.dataset)
    with django_assert_num_queries(1):
        newer, line = study_list()
    assert (newer.slug, newer.n_judgments, newer.n_questions) == ("newer", 0, 20)
    assert (line.n_judgments, line.n_appraisers, line.n_finished) == (18, 2, 1)
    assert (line.n_simulated_judgments, line.n_questions) == (15, 20)


def test_a_question_page_asks_two_queries_and_tells_no_arm(ada, django_assert_num_queries):
    with django_assert_num_queries(2):
        page = question_page(ada.appraiser)
    shown = repr(page)
    assert (page.number, page.total) == (1, 15)
    for secret in ("Autoencoder", "KNN", "user-knn", "score", "4.5,"):
        assert secret not in shown


def test_a_question_page_puts_each_recommendation_on_its_side(ada):
    page = question_page(ada.appraiser)
    assignment = ada.appraiser.assignments.get(key=page.assignment_key)
    question = assignment.question
    sides = [question.first_item.title, question.second_item.title]
    if assignment.left_arm != question.first_arm:
        sides.reverse()
    assert [page.left.title, page.right.title] == sides


def test_a_question_page_shows_the_whole_profile(ada):
    page = question_page(ada.appraiser)
    question = ada.appraiser.assignments.get(key=page.assignment_key).question
    profile = question_profile(page.question_id)
    shown = [group.stars for group in profile.groups for _ in group.movies]
    assert shown == [stars for _, stars in question.profile]
    assert profile.n_movies == len(question.profile)


def test_pages_follow_the_positions_and_end(ada):
    for number in range(1, 16):
        page = question_page(ada.appraiser)
        assert page.number == number
        record_judgment(appraiser=ada.appraiser, assignment_key=page.assignment_key, choice="left")
    assert question_page(ada.appraiser) is None
