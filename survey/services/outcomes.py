"""Decides the outcome of an appraiser; no other module writes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F

from survey.models import Appraiser, Assignment, Response, Study, is_past_last_day
from survey.selectors.next_step import (
    awaits_confirmation,
    failing_checks,
    has_answered_all,
    owes_questionnaire,
    unconfirmed,
)

Outcome = Appraiser.Outcome


def decide_outcome(*, appraiser: Appraiser, now: datetime) -> str:
    """Store the outcome once nothing is left to do; returns it, or "" while something is left.

    The caller holds the lock on the appraiser. Failed checks end the participation with the last
    question: the questionnaire after the questions is skipped, and the places return to the pool.
    """
    if appraiser.finished_at is not None:
        return appraiser.outcome
    if not has_answered_all(appraiser) or awaits_confirmation(appraiser):
        return ""
    study = appraiser.study
    own = study.appraisers.filter(pk=appraiser.pk)
    if study.checks_to_pass and failing_checks(own, study).exists():
        return set_outcome(appraiser=appraiser, outcome=Outcome.FAILED, now=now)
    if owes_questionnaire(appraiser, Response.Part.AFTER):
        return ""
    return set_outcome(appraiser=appraiser, outcome=Outcome.DONE, now=now)


def outcome_to_keep(appraiser: Appraiser, now: datetime | None = None) -> str:
    """The outcome that outlives an erasure: the stored one, or a failure that is certain already.

    Otherwise somebody who answered a check wrongly could have it erased, and try again. "" for
    people whom no panel sent, and after the study's retention date.
    """
    if not appraiser.panel_person or is_past_last_day(appraiser.study.retain_until, now):
        return ""
    checks = appraiser.assignments.filter(kind=Assignment.Kind.CHECK)
    wrong = checks.exclude(judgment=None).exclude(judgment__choice=F("expected")).count()
    is_certain = wrong and checks.count() - wrong < appraiser.study.checks_to_pass
    return appraiser.outcome or (Outcome.FAILED if is_certain else "")


def confirm_as_final(*, appraiser: Appraiser, now: datetime) -> None:
    """Make the answers final. The caller holds the lock; everything is answered."""
    Appraiser.objects.filter(pk=appraiser.pk).update(confirmed_at=now)
    appraiser.confirmed_at = now
    decide_outcome(appraiser=appraiser, now=now)


def confirm_unconfirmed(*, study: Study, people: Iterable[int], now: datetime) -> None:
    """Appraisers who answered everything but never confirmed count as confirmed.

    The caller locked the ``people`` (primary keys) before this reads them: an answer on its way
    is then either stored already, or finds the answers final.
    """
    for appraiser in unconfirmed(study).filter(pk__in=list(people)).order_by("pk"):
        appraiser.study = study
        confirm_as_final(appraiser=appraiser, now=now)


def set_outcome(*, appraiser: Appraiser, outcome: str, now: datetime) -> str:
    """Store the outcome unless there is one; the instance in hand is updated too."""
    unfinished = Appraiser.objects.filter(pk=appraiser.pk, finished_at=None)
    if unfinished.update(finished_at=now, outcome=outcome):
        appraiser.finished_at, appraiser.outcome = now, outcome
    return appraiser.outcome
