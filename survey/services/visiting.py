"""Records visits: last seen, returned assignments, what was shown, and a panel's parameters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from survey.models import Appraiser, Assignment, Study
from survey.selectors.next_step import Step, first_open, next_step, own_assignments
from survey.services.dropouts import reclaim_assignments
from survey.tokens import past_digest

#: The time an appraiser was last seen is stored at most this often.
SEEN_EVERY = timedelta(minutes=1)


def visit(*, appraiser: Appraiser, now: datetime | None = None) -> tuple[Step, list[Assignment]]:
    """The step that is open and the appraiser's assignments, after everything a visit changes.

    Returned assignments are reclaimed, and a question that is shown for the first time is marked.
    """
    note_activity(appraiser=appraiser, now=now)
    own = own_assignments(appraiser)
    if any(each.returned_at is not None for each in own):
        reclaim_assignments(appraiser=appraiser, now=now)
        own = own_assignments(appraiser)
    step, asked = next_step(appraiser, own), first_open(own)
    if step is Step.QUESTION and asked is not None and asked.shown_at is None:
        mark_shown(appraiser=appraiser, assignment_key=asked.key, now=now)
    return step, own


def note_activity(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """Store that the appraiser was seen, at most once a minute.

    This comes first in a request and in a transaction of its own: afterwards the appraiser is not
    idle, and their assignments are not returned.
    """
    now = now or timezone.now()
    if appraiser.finished_at or (appraiser.seen_at and now - appraiser.seen_at < SEEN_EVERY):
        return
    # A transaction that is returning the assignments holds the row: the UPDATE waits for it, and
    # they are found returned. Another tab may have stored a later time.
    own = Appraiser.objects.filter(pk=appraiser.pk, finished_at=None)
    own.exclude(seen_at__gt=now).update(seen_at=now)
    appraiser.seen_at = now


def mark_shown(
    *, appraiser: Appraiser, assignment_key: str | UUID, now: datetime | None = None
) -> None:
    """Store when the question was first on the screen; later calls change nothing."""
    unseen = Assignment.objects.filter(appraiser=appraiser, key=assignment_key, shown_at=None)
    unseen.update(shown_at=now or timezone.now())


def note_panel_visit(*, appraiser: Appraiser, parameters: Mapping[str, str]) -> None:
    """Store the panel's parameters of this visit if they differ from the first ones.

    A panel that admits a person a second time gives another session id, and pays for that one.
    """
    latest = {} if parameters == appraiser.panel else dict(parameters)
    if latest != appraiser.latest_panel:
        Appraiser.objects.filter(pk=appraiser.pk).update(latest_panel=latest)


def note_return(*, study: Study, kind: str, person: str) -> None:
    """Count a visit of a panel's person whose answers were erased after an outcome."""
    past = study.past_outcomes.filter(digest=past_digest(study.pk, kind, person))
    past.update(n_returns=F("n_returns") + 1)
