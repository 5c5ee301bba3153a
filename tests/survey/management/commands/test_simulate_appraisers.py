"""Simulated appraisers judge like people, and are marked as simulated."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from survey.management.commands.simulate_appraisers import find_arm
from survey.models import Appraiser, Assignment, Judgment
from survey.selectors.capacity import places
from survey.selectors.results import study_results
from survey.services.launching import move_study
from tests.factories import StudyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def simulate(*options, slug="films"):
    output = StringIO()
    call_command("simulate_appraisers", slug, *options, stdout=output)
    return output.getvalue()


def test_simulated_appraisers_judge_everything_and_are_marked(study):
    simulate("--appraisers", "3")
    assert set(Appraiser.objects.values_list("kind", flat=True)) == {"simulated"}
    assert Judgment.objects.count() == 45
    assert not Appraiser.objects.filter(finished_at=None).exists()


def test_simulated_times_run_forward_at_a_human_pace(study):
    simulate("--appraisers", "2")
    for who in Appraiser.objects.all():
        rows = who.assignments.order_by("position").values_list("shown_at", "judgment__answered_at")
        moments = [who.consented_at, *(moment for row in rows for moment in row)]
        assert moments == sorted(moments)
        assert who.instructed_at == moments[1]
        assert who.finished_at == moments[-1]
        assert 120 < (moments[-1] - moments[0]).total_seconds() < 3600


def test_simulation_repeats_itself_in_the_same_study():
    choices = []
    for slug in ("one", "two"):
        StudyFactory(slug=slug)
        simulate("--appraisers", "4", "--seed", "9", slug=slug)
        judged = Judgment.objects.filter(assignment__appraiser__study__slug=slug)
        order = judged.order_by("assignment__appraiser__number", "assignment__position")
        choices.append(list(order.values_list("choice", "assignment__question__number")))
    assert choices[0] == choices[1]


def test_simulated_appraisers_may_stop_early(study):
    simulate("--appraisers", "2", "--questions", "4")
    assert Judgment.objects.count() == 8
    assert Assignment.objects.count() == 30
    assert not Appraiser.objects.exclude(finished_at=None).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--appraisers", "0"],
        ["--appraisers", "2", "--questions", "16"],
        ["--appraisers", "2", "--questions", "few"],
        ["--appraisers", "2", "--prefer", "autoencoder:1.5"],
        ["--appraisers", "2", "--prefer", "autoencoder:nan"],
        ["--appraisers", "2", "--prefer", "nobody:0.5"],
        ["--appraisers", "2", "--seed", "-1"],
    ],
)
def test_flags_that_cannot_be_are_wrong_usage(study, wrong):
    with pytest.raises(CommandError) as refused:
        simulate(*wrong)
    assert refused.value.returncode == 2
    assert not Appraiser.objects.exists()


def test_a_preference_without_a_share_is_refused(study):
    with pytest.raises(CommandError, match="ARM:SHARE"):
        simulate("--appraisers", "2", "--prefer", "autoencoder")
    assert not Appraiser.objects.exists()


def test_a_closed_study_is_not_simulated(study):
    move_study(study=study, to="closed")
    with pytest.raises(CommandError) as refused:
        simulate("--appraisers", "1")
    assert refused.value.returncode == 1


@pytest.mark.parametrize("arm", ["autoencoder", "autoencoder:compact", "Autoencoder"])
def test_an_arm_is_preferred_by_its_system_its_preset_or_its_label(study, arm):
    assert find_arm(study, arm) == study.arms.get(position=0)


def test_the_preferred_arm_wins_about_as_often_as_asked(study):
    simulate("--appraisers", "12", "--prefer", "autoencoder:0.9")
    won = Judgment.objects.filter(chosen_arm__label="Autoencoder").count()
    assert won / 180 == pytest.approx(0.9, abs=0.07)


def test_every_kind_is_answered_and_checks_as_they_ask_for():
    StudyFactory(
        slug="films",
        questions_per_appraiser=8,
        n_practice=2,
        n_checks=2,
        checks_to_pass=2,
        n_repeats=1,
    )
    said = simulate("--appraisers", "3")
    assert "made 24 judgments and 15 answers that do not count" in said
    assert set(Appraiser.objects.values_list("outcome", flat=True)) == {"done"}


def test_some_stop_on_the_way(study):
    simulate("--appraisers", "8", "--abandon", "0.5")
    stopped = Appraiser.objects.filter(outcome="").count()
    assert 2 <= stopped <= 6
    assert Judgment.objects.count() < 8 * 15


def test_questions_of_those_who_stopped_long_ago_return_to_the_pool():
    study = StudyFactory(slug="films", return_after=30)
    simulate("--appraisers", "16", "--abandon", "0.5")
    assert Assignment.objects.exclude(returned_at=None).exists()
    given = places(study, "simulated").pool.given.values()
    assert max(given) - min(given) <= 2


def test_questionnaires_are_filled_in_and_answers_confirmed():
    before = {
        "name": "age",
        "text": "How old are you?",
        "kind": "choice",
        "options": ["under 18", "18 or older"],
        "screens_out": ["under 18"],
    }
    StudyFactory(slug="films", changes="finish", before=[before], after=[{"builtin": "sus"}])
    simulate("--appraisers", "2")
    assert set(Appraiser.objects.values_list("outcome", flat=True)) == {"done"}


def test_a_preference_holds_among_more_than_two_arms():
    study = StudyFactory(slug="films", arms__systems=("bias", "user-knn", "autoencoder"))
    third = study.arms.get(position=2)
    study.questions.filter(number__gt=10).update(first_arm=third)
    simulate("--appraisers", "8", "--prefer", "bias:1")
    rates = [arm.rate for arm in study_results(study, kind="simulated").arms]
    assert rates[0] == 1.0
    assert 0.3 < rates[2] < 0.7
