"""Which judgments the results count."""

import pytest

from survey import figures
from survey.models import Assignment, Study
from survey.selectors.results import study_results
from survey.selectors.studies import study_list
from tests.factories import StudyFactory
from tests.survey.judging import answer, ask_again, decide, fail, judge

pytestmark = pytest.mark.django_db


def test_kinds_are_never_mixed(study):
    judge(study, "a" * 15)
    judge(study, "b" * 15, kind="simulated")
    judge(study, "b" * 5, kind="simulated")
    real, simulated = (study_results(study, kind=kind) for kind in ("real", "simulated"))
    assert real.kinds == simulated.kinds == {"real": 15, "pilot": 0, "simulated": 20}
    assert (real.arms[0].wins, real.n_judgments, real.trust["n_appraisers"]) == (15, 15, 1)
    assert (simulated.arms[0].wins, simulated.n_judgments, simulated.trust["n_appraisers"]) == (
        0,
        20,
        2,
    )
    assert study_results(study, kind="pilot").n_judgments == 0


def test_studies_are_never_mixed(study):
    other = StudyFactory(slug="other", dataset=study.dataset)
    judge(other, "ab")
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.trust["n_appraisers"], found.kinds["real"]) == (0, 0, 0)


def test_without_judgments_there_are_no_rates(study):
    found = study_results(study, kind="real")
    assert found.n_judgments == 0
    assert [arm.rate for arm in found.arms] == [None, None]
    assert found.p_value is found.trust["sides"] is figures.headline(found) is None


def test_a_draft_has_results_without_figures(study):
    Study.objects.filter(pk=study.pk).update(status="draft", launched_at=None, profiles_tried=0)
    study.refresh_from_db()
    assert study_results(study, kind="real").arms[0].named.tied_share is None


def test_an_even_split_has_no_leader(study):
    judge(study, "aabb")
    assert figures.headline(study_results(study, kind="real"))["even"]


def test_the_error_table_holds_the_study_s_systems_in_their_order(study):
    rows = study_results(study, kind="real").error_table
    assert [(row["label"], row["system"], row["rmse"]) for row in rows] == [
        ("Autoencoder", "autoencoder", 1.05),
        ("User-user KNN", "user-knn", 1.05),
    ]


def test_loss_curves_are_shown_of_systems_that_have_one(study):
    curve = [(1000, 1.4), (2000, 1.1), (3000, 1.0)]
    assert study_results(study, kind="real").loss_curves == {"Autoencoder": curve}


def test_results_ask_a_constant_number_of_queries(study, django_assert_num_queries):
    for kind in ("real", "simulated", "real"):
        with django_assert_num_queries(9):
            study_results(study, kind="real")
        judge(study, "ab", kind=kind)


def test_third_answers_are_counted_apart_and_by_halves(study):
    decide(study, third_answer="tie")
    judge(study, "aaaaaabbttttttt")
    found = study_results(study, kind="real")
    first, second = found.arms
    assert (found.n_judgments, found.n_ties, found.n_decided) == (15, 7, 8)
    assert (first.wins, first.judged, first.ties, first.rate) == (6, 8, 7, 0.75)
    assert first.rate_with_ties == (6 + 3.5) / 15
    assert first.rate_with_ties + second.rate_with_ties == 1
    assert found.trust["sides"].share.total == 8


def test_without_a_choice_there_is_no_rate(study):
    decide(study, third_answer="tie")
    judge(study, "ttt")
    found = study_results(study, kind="real")
    assert [arm.rate for arm in found.arms] == [None, None]
    assert found.p_value is found.trust["sides"] is figures.headline(found) is None
    assert [arm.rate_with_ties for arm in found.arms] == [0.5, 0.5]


def test_people_who_failed_the_checks_are_left_out_and_counted(study):
    decide(study, n_checks=2, checks_to_pass=1)
    judge(study, "aaaaaaaaab")
    fail(judge(study, "bbbbbbbbbb"))
    found = study_results(study, kind="real")
    trust = found.trust
    assert (found.n_judgments, found.kinds["real"], trust["n_questions_judged"]) == (10, 10, 10)
    assert (trust["n_failed"], trust["n_failed_judgments"], trust["n_finished"]) == (1, 10, 0)
    assert (found.arms[0].rate, found.arms[0].rate_with_failed) == (0.9, 0.45)
    (line,) = study_list()
    assert (line.n_judgments, line.n_finished) == (10, 0)


@pytest.mark.parametrize("kind", ["practice", "check", "repeat"])
def test_only_main_questions_enter_a_figure(study, kind):
    judge(study, "ab")
    appraiser = judge(study, "")
    extra = appraiser.assignments.order_by("position").first()
    Assignment.objects.filter(pk=extra.pk).update(
        kind=kind, expected="left" if kind == "check" else ""
    )
    answer(extra, "a")
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.kinds["real"], found.trust["n_questions_judged"]) == (2, 2, 2)
    assert study_list()[0].n_judgments == 2


def test_results_take_a_few_queries_whatever_is_asked(django_assert_num_queries):
    study = StudyFactory(slug="all")
    decide(study, n_repeats=2, ask_familiarity=True, ask_confidence=True, third_answer="tie")
    for _ in range(2):
        with django_assert_num_queries(12):
            study_results(study, kind="real")
        ask_again(judge(study, "abt", confidence=3), "ab")
