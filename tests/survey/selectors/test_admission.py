"""Who comes in: everybody, holders of personal links, or people whom a panel sends."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction

from survey.errors import AlreadyEnded, NotInvited, StudyClosed
from survey.models import Appraiser, Assignment, Judgment, PastOutcome, Study
from survey.protocol import panels
from survey.selectors.admission import past_outcome
from survey.services.inviting import make_invitations, revoke_invitations
from survey.services.joining import join_study
from survey.services.launching import move_study
from survey.services.withdrawing import delete_expired, withdraw
from survey.tokens import token_digest
from tests.factories import NOW, StudyFactory

pytestmark = pytest.mark.django_db

PROLIFIC = panels.prolific_panel(done="CDONE", screened="CSCREEN", failed="CFAIL")


def sent(person="5f1ada", session="s1"):
    return {"PROLIFIC_PID": [person], "STUDY_ID": ["64study"], "SESSION_ID": [session]}


def reason_of(**brought):
    with pytest.raises(NotInvited) as refused:
        join_study(**brought)
    return refused.value.reason


@pytest.fixture
def invited(db):
    """A study by invitation, and one personal link."""
    study = StudyFactory(slug="invited", entry="personal")
    (link,) = make_invitations(study=study, count=1, labels=["Ada"])
    return study, link.token


@pytest.fixture
def paneled(db):
    return StudyFactory(slug="paneled", entry="panel", panel=PROLIFIC)


# -- personal links ------------------------------------------------------------------------------


def test_a_personal_link_makes_one_appraiser_and_is_then_used(invited):
    study, link = invited
    ada, _ = join_study(study=study, invitation=link, now=NOW)
    assert (ada.kind, ada.invitation.used_at, ada.invitation.label) == ("real", NOW, "Ada")


def test_a_personal_link_leads_to_the_same_appraiser_from_every_device(invited):
    study, link = invited
    first = join_study(study=study, invitation=link, ticket="a" * 43)
    assert join_study(study=study, invitation=link, ticket="b" * 43) == first
    assert study.appraisers.count() == 1


def test_nobody_joins_a_personal_study_without_a_link(invited):
    study, link = invited
    assert reason_of(study=study) == "personal"
    assert reason_of(study=study, panel=sent()) == "personal"
    assert reason_of(study=study, invitation=link + "x") == "unknown"
    assert not study.appraisers.exists()


def test_a_personal_link_opens_no_other_study(invited):
    _, link = invited
    other = StudyFactory(slug="other", entry="personal")
    assert reason_of(study=other, invitation=link) == "unknown"


def test_a_revoked_link_admits_nobody(invited):
    study, link = invited
    revoke_invitations(study=study)
    assert reason_of(study=study, invitation=link) == "revoked"


def test_a_link_that_is_in_use_cannot_be_revoked(invited):
    study, link = invited
    join_study(study=study, invitation=link)
    assert revoke_invitations(study=study) == 0
    assert join_study(study=study, invitation=link)


def test_a_trial_uses_up_no_personal_link(invited):
    study, link = invited
    Study.objects.update(status=Study.Status.PILOT, launched_at=None)
    trial, _ = join_study(study=study, kind="pilot", invitation=link)
    assert join_study(study=study, kind="pilot", invitation=link)[0] == trial
    assert study.invitations.get().used_at is None
    Study.objects.update(status=Study.Status.RUNNING, launched_at=NOW)
    real, _ = join_study(study=study, invitation=link)
    assert (real.kind, study.invitations.get().appraiser) == ("real", real)


def test_a_link_whose_answers_were_erased_is_spent(invited):
    study, link = invited
    ada, _ = join_study(study=study, invitation=link)
    withdraw(appraiser=ada)
    assert reason_of(study=study, invitation=link) == "spent"


def test_links_made_in_a_draft_open_the_study_that_comes_of_it():
    study = StudyFactory(entry="personal", status=Study.Status.DRAFT)
    (link,) = make_invitations(study=study, count=1)
    with pytest.raises(StudyClosed):
        join_study(study=study, invitation=link.token)
    Study.objects.update(status=Study.Status.RUNNING, launched_at=NOW)
    assert join_study(study=study, invitation=link.token)


def test_programs_take_part_without_a_link(invited):
    study, _ = invited
    assert join_study(study=study, kind="simulated")[0].kind == "simulated"


# -- panels --------------------------------------------------------------------------------------


def test_a_panels_parameters_are_stored(paneled):
    ada, _ = join_study(study=paneled, panel=sent())
    assert ada.panel_person == "5f1ada"
    assert ada.panel == {"PROLIFIC_PID": "5f1ada", "STUDY_ID": "64study", "SESSION_ID": "s1"}


def test_one_of_the_panel_s_people_is_one_appraiser_whatever_the_session(paneled):
    first = join_study(study=paneled, panel=sent(session="s1"))
    assert join_study(study=paneled, panel=sent(session="s2")) == first
    ben, _ = join_study(study=paneled, panel=sent("5f1ben"))
    assert ben != first[0]


def test_the_database_takes_nobody_from_a_panel_twice(paneled):
    join_study(study=paneled, panel=sent())
    ben, _ = join_study(study=paneled, panel=sent("5f1ben"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Appraiser.objects.filter(pk=ben.pk).update(panel_person="5f1ada")


def test_nobody_comes_in_without_the_panel_s_parameters(paneled):
    assert reason_of(study=paneled) == "panel"
    assert reason_of(study=paneled, panel=sent("{{%PROLIFIC_PID%}}")) == "unfilled"
    assert not paneled.appraisers.exists()


def test_a_panel_s_person_tries_a_study_out_and_takes_part_in_it_later(paneled):
    Study.objects.update(status=Study.Status.PILOT, launched_at=None)
    trial, trial_link = join_study(study=paneled, kind="pilot", panel=sent())
    Study.objects.update(status=Study.Status.RUNNING, launched_at=NOW)
    real, link = join_study(study=paneled, panel=sent())
    assert (trial.kind, real.kind) == ("pilot", "real")
    assert trial_link != link


def test_the_same_name_at_two_studies_is_two_appraisers(paneled):
    other = StudyFactory(slug="other", entry="panel", panel=PROLIFIC)
    _, here = join_study(study=paneled, panel=sent())
    _, there = join_study(study=other, panel=sent())
    assert here != there


def test_a_panel_s_people_find_back_after_the_site_got_a_new_secret_key(paneled, settings):
    ada, old = join_study(study=paneled, panel=sent())
    settings.SECRET_KEY = "another-one-" * 6
    again, new = join_study(study=paneled, panel=sent())
    ada.refresh_from_db()
    assert (again.pk, new != old) == (ada.pk, True)
    assert ada.token_digest == token_digest(new)


def test_a_closed_study_redirects_earlier_appraisers_to_their_link(paneled):
    first = join_study(study=paneled, panel=sent())
    move_study(study=paneled, to="closed")
    assert join_study(study=paneled, panel=sent()) == first
    with pytest.raises(StudyClosed):
        join_study(study=paneled, panel=sent("5f1ben"))


# -- people of a panel who had their answers erased ----------------------------------------------


def finish(who, outcome):
    Appraiser.objects.filter(pk=who.pk).update(outcome=outcome, finished_at=NOW)


@pytest.mark.parametrize("outcome", Appraiser.Outcome.values)
def test_an_outcome_outlives_the_erasure(paneled, outcome):
    ada, _ = join_study(study=paneled, panel=sent())
    finish(ada, outcome)
    withdraw(appraiser=ada)
    with pytest.raises(AlreadyEnded) as refused:
        join_study(study=paneled, panel=sent(session="s2"))
    assert (refused.value.reason, refused.value.outcome) == ("ended", outcome)
    assert not paneled.appraisers.exists()


def test_joining_again_under_another_key_can_be_withdrawn_and_keeps_the_first_outcome(
    paneled, settings
):
    key = settings.SECRET_KEY
    for at_joining, outcome in ((key, "screened"), ("another key", "done")):
        settings.SECRET_KEY = at_joining
        ada, _ = join_study(study=paneled, panel=sent())
        finish(ada, outcome)
        settings.SECRET_KEY = key
        withdraw(appraiser=ada)
    assert [past.outcome for past in PastOutcome.objects.all()] == ["screened"]
    assert not paneled.appraisers.exists()


def test_another_person_joins_after_an_erasure(paneled):
    ada, _ = join_study(study=paneled, panel=sent())
    finish(ada, "failed")
    withdraw(appraiser=ada)
    assert join_study(study=paneled, panel=sent("5f1ben"))


def test_a_person_without_outcome_may_join_again_after_an_erasure(paneled):
    ada, _ = join_study(study=paneled, panel=sent())
    withdraw(appraiser=ada)
    assert not PastOutcome.objects.exists()
    assert join_study(study=paneled, panel=sent())


@pytest.mark.parametrize(("n_right", "stays"), [(1, False), (0, True)])
def test_a_check_failed_for_good_outlives_an_erasure_before_the_end(n_right, stays):
    study = StudyFactory(entry="panel", panel=PROLIFIC, n_checks=2, checks_to_pass=1)
    ada, _ = join_study(study=study, panel=sent())
    for nth, check in enumerate(ada.assignments.filter(kind=Assignment.Kind.CHECK)):
        other = "right" if check.expected == "left" else "left"
        choice = check.expected if nth < n_right else other
        Judgment.objects.create(
            assignment=check, choice=choice, chosen_arm=check.left_arm, answered_at=NOW
        )
    withdraw(appraiser=ada)
    assert [past.outcome for past in PastOutcome.objects.all()] == ["failed"] * stays


def test_only_a_digest_without_the_id_outlives_the_erasure(paneled):
    ada, _ = join_study(study=paneled, panel=sent())
    finish(ada, "screened")
    withdraw(appraiser=ada)
    (row,) = PastOutcome.objects.values()
    assert not any("5f1ada" in str(value) for value in row.values())


def test_the_same_id_in_another_study_or_trial_is_not_the_same_person(paneled):
    ada, _ = join_study(study=paneled, panel=sent())
    finish(ada, "done")
    withdraw(appraiser=ada)
    other = StudyFactory(slug="other", entry="panel", panel=PROLIFIC)
    assert join_study(study=other, panel=sent())
    assert past_outcome(paneled, "pilot", "5f1ada") is None


def test_the_digest_is_deleted_after_the_retention_date(paneled):
    Study.objects.update(retain_until=date(2026, 5, 1))
    paneled.refresh_from_db()
    ada, _ = join_study(study=paneled, panel=sent(), now=NOW)
    finish(ada, "done")
    withdraw(appraiser=ada, now=NOW)
    assert delete_expired(now=datetime(2026, 5, 1, 23, tzinfo=UTC)) == 0
    assert delete_expired(now=datetime(2026, 5, 2, tzinfo=UTC)) == 1
    assert join_study(study=paneled, panel=sent())


def test_no_digest_is_kept_after_the_retention_date(paneled):
    Study.objects.update(retain_until=date(2026, 1, 1))
    paneled.refresh_from_db()
    ada, _ = join_study(study=paneled, panel=sent())
    finish(ada, "done")
    withdraw(appraiser=ada)
    assert not PastOutcome.objects.exists()
