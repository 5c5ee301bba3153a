"""Draft, pilot, running, paused, closed: each step is taken once, by those who may, and kept."""

import pytest
from django.db import IntegrityError

from survey.errors import StudyClosed, StudyError, StudyFull
from survey.models import (
    Appraiser,
    Assignment,
    Judgment,
    JudgmentRevision,
    Question,
    Response,
    Study,
    StudyEvent,
    Withdrawal,
)
from survey.protocol import questionnaires
from survey.selectors.capacity import places_left
from survey.selectors.design import design_hash
from survey.selectors.question import question_page
from survey.selectors.results import study_results
from survey.services.answering import record_judgment
from survey.services.inviting import make_invitations
from survey.services.joining import join_study, mark_instructed
from survey.services.launching import launch_study, move_study, pilot_study
from survey.services.responding import respond
from survey.services.status import end_pilot
from survey.services.withdrawing import withdraw
from tests.factories import NOW, StudyFactory
from tests.survey.drafts import prepared, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db):
    study = prepared()
    publish(study)
    return study


@pytest.fixture
def pilot(draft):
    return pilot_study(study=draft, by="rita", now=NOW)


def answered(study, kind="pilot"):
    """An appraiser with one answer."""
    appraiser, token = join_study(study=study, kind=kind)
    key = appraiser.assignments.first().key
    record_judgment(appraiser=appraiser, assignment_key=key, choice="left")
    return appraiser, token


def drawn(study):
    return list(study.questions.values_list("number", "user", "first_item", "second_item"))


def test_a_pilot_has_its_questions_and_takes_trial_answers(pilot):
    assert pilot.status == Study.Status.PILOT
    assert pilot.questions.count() == 12
    appraiser, _ = answered(pilot)
    assert appraiser.pseudonym == "pilot-0001"


@pytest.mark.parametrize("kind", ["real", "simulated"])
def test_only_trial_appraisers_join_a_pilot(pilot, kind):
    with pytest.raises(StudyClosed):
        join_study(study=pilot, kind=kind)


def test_launching_a_pilot_keeps_its_questions(pilot):
    before = drawn(pilot)
    launch_study(study=pilot, now=NOW)
    assert (pilot.status, pilot.launched_at) == (Study.Status.RUNNING, NOW)
    assert drawn(pilot) == before


def test_a_pilot_s_questions_are_those_of_a_direct_launch(pilot):
    direct = prepared("other")
    publish(direct)
    launch_study(study=direct)
    assert [row[:2] for row in drawn(pilot)] == [row[:2] for row in drawn(direct)]


def test_trial_answers_stay_apart_after_the_launch(pilot):
    answered(pilot)
    launch_study(study=pilot)
    answered(pilot, kind="real")
    for kind in ("pilot", "real"):
        assert study_results(pilot, kind=kind).n_judgments == 1


def test_a_trial_ends_with_the_launch(pilot):
    appraiser, _ = answered(pilot)
    launch_study(study=pilot)
    key = appraiser.assignments.last().key
    with pytest.raises(StudyClosed):
        record_judgment(appraiser=appraiser, assignment_key=key, choice="left")
    with pytest.raises(StudyClosed):
        join_study(study=pilot, kind="pilot")


def test_trial_places_and_real_ones_are_counted_apart(pilot):
    for _ in range(pilot.quota):
        join_study(study=pilot, kind="pilot")
    with pytest.raises(StudyFull):
        join_study(study=pilot, kind="pilot")
    launch_study(study=pilot)
    assert places_left(pilot) == pilot.quota


def test_back_to_a_draft_discards_the_trial_and_its_questions(pilot):
    answered(pilot)
    end_pilot(study=pilot, now=NOW)
    assert (pilot.status, pilot.profiles_tried) == (Study.Status.DRAFT, 0)
    for model in (Question, Appraiser, Assignment, Judgment):
        assert not model.objects.exists()
    assert pilot.events.last().note == "trial answers discarded: 1"


def test_back_to_a_draft_deletes_withdrawals_and_keeps_personal_links():
    item = {"name": "hobby", "text": "Your hobby?", "kind": "text"}
    pilot = StudyFactory(status="pilot", entry="personal", before=[item])
    stays, leaves = make_invitations(study=pilot, count=2)
    for link in (stays, leaves):
        who, _ = join_study(study=pilot, kind="pilot", invitation=link.token)
        mark_instructed(appraiser=who)
        items = questionnaires.asked_items(pilot.before)
        assert respond(appraiser=who, part="before", items=items, sent={"hobby": "chess"})
    withdraw(appraiser=who)
    end_pilot(study=pilot)
    for model in (Withdrawal, Response, JudgmentRevision, Appraiser):
        assert not model.objects.exists()
    assert pilot.invitations.filter(used_at=None, appraiser=None).count() == 2


def test_a_pilot_does_not_open_once_nobody_could_have_answers_erased(pilot):
    Study.objects.update(withdraw_until="2026-03-01")
    pilot.refresh_from_db()
    Study.objects.update(design_hash=design_hash(pilot))
    pilot.refresh_from_db()
    with pytest.raises(StudyError, match="delete_draft"):
        launch_study(study=pilot)
    assert Study.objects.get().status == "pilot"


def test_a_link_of_a_discarded_trial_stores_nothing(pilot):
    appraiser, _ = answered(pilot)
    key = appraiser.assignments.last().key
    end_pilot(study=pilot)
    with pytest.raises(StudyClosed):
        record_judgment(appraiser=appraiser, assignment_key=key, choice="left")


def test_after_a_discarded_trial_another_can_follow(pilot):
    end_pilot(study=pilot)
    again = pilot_study(study=pilot)
    assert again.questions.count() == 12


def test_a_launched_study_never_returns_to_draft(study):
    join_study(study=study)
    for to in ("draft", "pilot"):
        with pytest.raises(StudyError):
            move_study(study=study, to=to)
    with pytest.raises(IntegrityError):
        Study.objects.filter(pk=study.pk).update(status="pilot")


def test_a_paused_study_takes_no_answers_until_it_is_resumed(study, ada):
    key = question_page(ada.appraiser)["assignment_key"]
    move_study(study=study, to="paused")
    with pytest.raises(StudyClosed):
        join_study(study=study)
    with pytest.raises(StudyClosed):
        record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    move_study(study=study, to="running")
    record_judgment(appraiser=ada.appraiser, assignment_key=key, choice="left")
    assert Judgment.objects.count() == 1


STEPS = {
    "draft": {"pilot", "running"},
    "pilot": {"draft", "running"},
    "running": {"paused", "closed"},
    "paused": {"running", "closed"},
    "closed": set(),
}


@pytest.mark.parametrize("start", STEPS)
@pytest.mark.parametrize("to", STEPS)
def test_only_allowed_changes_of_status_are_possible(draft, start, to):
    for step in {"draft": [], "pilot": ["pilot"], "running": ["running"]}.get(
        start, ["running", start]
    ):
        move_study(study=draft, to=step)
    if to in STEPS[start]:
        move_study(study=draft, to=to)
    else:
        with pytest.raises(StudyError):
            move_study(study=draft, to=to)
    draft.refresh_from_db()
    assert draft.status == (to if to in STEPS[start] else start)


def test_every_change_of_status_is_stored_with_its_user(pilot):
    launch_study(study=pilot, by="rita", now=NOW)
    move_study(study=pilot, to="paused")
    steps = pilot.events.values_list("from_status", "to_status", "by")
    assert list(steps) == [
        ("", "draft", ""),
        ("draft", "pilot", "rita"),
        ("pilot", "running", "rita"),
        ("running", "paused", ""),
    ]
    assert pilot.events.all()[1].at == NOW


def test_a_step_that_is_refused_leaves_no_event(study):
    stale = Study.objects.get(pk=study.pk)
    move_study(study=study, to="closed")
    with pytest.raises(StudyError, match="closed now"):
        move_study(study=stale, to="paused")
    assert study.events.count() == 1


def test_an_event_that_cannot_be_is_refused_by_the_database(study):
    with pytest.raises(IntegrityError):
        StudyEvent.objects.create(study=study, at=NOW, from_status="closed", to_status="running")


def test_a_status_that_is_none_is_refused(study):
    with pytest.raises(StudyError, match="Choose from: draft, pilot, running"):
        move_study(study=study, to="over")


def test_a_study_of_an_older_time_has_no_events_and_can_go_on():
    study = StudyFactory(status="paused")
    move_study(study=study, to="running")
    assert study.events.get().from_status == "paused"
