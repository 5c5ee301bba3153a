"""Who answers everything and never says that it is final: silence says so, and the end does."""

from datetime import timedelta

import pytest

from survey.models import Appraiser, Study
from survey.selectors.capacity import places, places_left
from survey.selectors.design import design_hash
from survey.selectors.next_step import Step, next_step, own_assignments
from survey.selectors.question import changeable
from survey.selectors.questionnaires import items_of
from survey.selectors.results import study_results
from survey.services.answering import record_judgment
from survey.services.joining import join_study
from survey.services.launching import launch_study, move_study
from survey.services.responding import respond
from survey.services.visiting import note_activity
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=3)
HOBBY = {"name": "hobby", "text": "Which?", "kind": "text"}


def films(changes="finish", **values):
    """Two places of four questions each, with two checks that have to be passed."""
    course = {"n_checks": 2, "checks_to_pass": 2, "changes": changes, "quota": 2}
    return StudyFactory(n_profiles=6, questions_per_appraiser=4, **(course | values))


def judge(study, *, careless=False, count=100, kind="real"):
    """Join and answer, without the word that it is final; who is careless fails the checks."""
    who, _ = join_study(study=study, kind=kind, now=NOW)
    other = {"left": "right", "right": "left"}
    for row in who.assignments.order_by("position")[:count]:
        choice = (other[row.expected] if careless else row.expected) if row.expected else "left"
        record_judgment(appraiser=who, assignment_key=row.key, choice=choice, now=NOW)
    return who


def anew(who):
    return Appraiser.objects.select_related("study").get(pk=who.pk)


@pytest.mark.parametrize("changes", ["previous", "finish"])
@pytest.mark.parametrize(("careless", "outcome"), [(True, "failed"), (False, "done")])
def test_an_idle_appraisers_answers_are_confirmed_when_somebody_joins(changes, careless, outcome):
    study = films(changes)
    who = judge(study, careless=careless)
    join_study(study=study, now=LATER)
    who = anew(who)
    assert (who.outcome, who.confirmed_at, who.finished_at) == (outcome, LATER, LATER)


def test_places_of_an_idle_appraiser_who_failed_go_to_the_next():
    study = films()
    for _ in range(2):
        judge(study, careless=True)
    assert places_left(study, now=NOW) == 0
    assert places_left(study, now=LATER) == 2
    again, _ = join_study(study=study, now=LATER)
    assert again.assignments.filter(kind="main").count() == 4
    assert sum(places(study, "real").pool.given.values()) == 4
    found = study_results(study, kind="real")
    assert found.n_judgments == 0
    assert (found.trust["n_failed"], found.trust["n_failed_judgments"]) == (2, 8)


def test_an_idle_appraiser_who_passed_keeps_the_place():
    study = films()
    judge(study)
    assert places_left(study, now=LATER) == 1


@pytest.mark.parametrize("count", [0, 5])
def test_an_appraiser_with_an_unanswered_question_is_not_done(count):
    study = films()
    who = judge(study, careless=True, count=count)
    join_study(study=study, now=LATER)
    move_study(study=Study.objects.get(), to="closed")
    assert (anew(who).outcome, anew(who).confirmed_at) == ("", None)


def test_an_active_appraiser_may_still_change_answers():
    study = films()
    who = judge(study, careless=True)
    note_activity(appraiser=who, now=LATER)
    join_study(study=study, now=LATER)
    assert next_step(anew(who)) is Step.REVIEW
    assert changeable(anew(who), own_assignments(who))


def test_the_confirmation_page_says_that_answers_become_final_in_time(client):
    who, token = join_study(study=films(), now=NOW)
    for row in who.assignments.all():
        record_judgment(appraiser=who, assignment_key=row.key, choice="left", now=NOW)
    assert "final after a while, too" in client.get(f"/a/{token}/").content.decode()


def test_the_end_of_a_study_decides_all():
    study = films()
    careless, careful = judge(study, careless=True), judge(study)
    move_study(study=study, to="closed", now=NOW)
    assert [anew(who).outcome for who in (careless, careful)] == ["failed", "done"]
    found = study_results(study, kind="real")
    assert (found.n_judgments, found.trust["n_finished"], found.trust["n_failed"]) == (4, 1, 1)


@pytest.fixture
def tried(db):
    """A trial with one careless person, one careful, and one who stopped on the way."""
    study = films(status=Study.Status.PILOT, quota=3)
    Study.objects.update(design_hash=design_hash(study))
    study.refresh_from_db()
    people = [judge(study, kind="pilot", **how) for how in ({"careless": True}, {}, {"count": 1})]
    return study, people


def test_the_launch_decides_how_the_trial_ended_for_each(tried):
    study, people = tried
    launch_study(study=study, now=LATER)
    assert [anew(who).outcome for who in people] == ["failed", "done", ""]
    assert [anew(who).finished_at for who in people] == [LATER, LATER, None]


def test_after_the_launch_the_trial_s_counts_agree(tried):
    study, _ = tried
    launch_study(study=study, now=LATER)
    found = study_results(study, kind="pilot")
    trust = found.trust
    assert (trust["n_finished"], trust["n_failed"], trust["n_appraisers"]) == (1, 1, 3)
    assert (found.n_judgments, found.trust["n_failed_judgments"]) == (5, 4)


@pytest.mark.parametrize("closed", [True, False])
def test_the_questionnaire_after_may_still_be_filled_in(closed):
    study = films(after=[HOBBY])
    who = judge(study)
    if closed:
        move_study(study=study, to="closed", now=LATER)
    else:
        join_study(study=study, now=LATER)
    assert (anew(who).confirmed_at, anew(who).outcome) == (LATER, "")
    assert next_step(anew(who)) is Step.AFTER
    items = items_of(study, "after")
    assert respond(appraiser=who, part="after", items=items, sent={"hobby": "chess"})
    assert anew(who).outcome == "done"


def test_failed_checks_come_before_the_questionnaire_after():
    study = films(after=[HOBBY])
    who = judge(study, careless=True)
    move_study(study=study, to="closed", now=NOW)
    assert (anew(who).outcome, next_step(anew(who))) == ("failed", Step.END)


def test_without_changes_no_further_queries_are_needed(
    django_assert_max_num_queries,
):
    study = films("never")
    with django_assert_max_num_queries(8):  # the lock, the step's, and savepoints
        move_study(study=study, to="closed", now=NOW)
