"""Erases an appraiser who withdraws.

A count without identity is kept, and, of a panel's person with an outcome, a keyed digest.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from survey.errors import StudyClosed
from survey.models import (
    Appraiser,
    Invitation,
    Judgment,
    PastOutcome,
    Study,
    Withdrawal,
    is_past_last_day,
)
from survey.services.outcomes import outcome_to_keep
from survey.tokens import past_digest


@transaction.atomic
def withdraw(*, appraiser: Appraiser, now: datetime | None = None) -> Withdrawal | None:
    """Erase the appraiser with assignments, judgments, their history and responses.

    Returns the row that is kept: the kind, the day and the number of judgments. Returns None if
    the appraiser was erased already; raises StudyClosed after the last day. Deleting the
    assignments returns their places to the pool. Paused and closed studies allow it too.
    """
    now = now or timezone.now()
    # The study before the appraiser, like every transaction that locks both. Joining counts
    # appraisers and withdrawals under the study's lock, and must count this person exactly once.
    study = Study.objects.select_for_update(no_key=True).get(pk=appraiser.study_id)
    found = Appraiser.objects.select_for_update(of=("self",)).filter(pk=appraiser.pk).first()
    if found is None:
        return None
    if is_past_last_day(study.withdraw_until, now):
        raise StudyClosed("The last day on which answers could be erased has passed.")
    _keep_outcome(found, now)
    # An assignment with a judgment cannot be deleted (PROTECT), so the judgments go first.
    erased, _ = Judgment.objects.filter(assignment__appraiser=found).delete()
    # The label of the personal link identifies the person, so it is erased; the digest stays, so
    # that the link is still known as used. The time of use is reduced to the day of withdrawal.
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    Invitation.objects.filter(appraiser=found).update(label="", used_at=today, appraiser=None)
    tombstone = Withdrawal.objects.create(
        study=study, kind=found.kind, on=now.date(), n_judgments=erased
    )
    found.delete()
    return tombstone


def delete_expired(*, now: datetime | None = None) -> int:
    """Delete the outcomes kept past their study's retention date; returns how many."""
    today = (now or timezone.now()).date()
    count, _ = PastOutcome.objects.filter(study__retain_until__lt=today).delete()
    return count


def _keep_outcome(appraiser: Appraiser, now: datetime) -> None:
    study, person = appraiser.study, appraiser.panel_person
    if outcome := outcome_to_keep(appraiser, now):
        digest = past_digest(study.pk, appraiser.kind, person)
        facts = {"study": study, "kind": appraiser.kind, "outcome": outcome}
        # There is one already if the person joined again while the SECRET_KEY was another.
        PastOutcome.objects.get_or_create(digest=digest, defaults=facts)
