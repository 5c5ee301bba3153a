"""Simulated appraisers of a study that asks more than the paper does."""

from io import StringIO

import pytest
from django.core.management import call_command

from survey.models import Appraiser, Assignment, Judgment
from survey.selectors.capacity import places
from survey.selectors.results import study_results
from tests.factories import StudyFactory

pytestmark = pytest.mark.django_db


def simulate(*options):
    output = StringIO()
    call_command("simulate_appraisers", "films", *options, stdout=output)
    return output.getvalue()


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
    simulate("--appraisers", "20", "--abandon", "0.5")
    stopped = Appraiser.objects.filter(outcome="").count()
    assert 5 <= stopped <= 15
    assert Judgment.objects.count() < 20 * 15


def test_those_who_stopped_long_ago_give_their_questions_back(study):
    simulate("--appraisers", "60", "--abandon", "0.5")
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
    simulate("--appraisers", "20", "--prefer", "bias:1")
    rates = [arm.rate for arm in study_results(study, kind="simulated").arms]
    assert rates[0] == 1.0
    assert 0.3 < rates[2] < 0.7
