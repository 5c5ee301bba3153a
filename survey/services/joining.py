"""Makes an appraiser out of a consent: a private link and assignments of their own."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from survey.errors import NotInvited, StudyClosed
from survey.models import Appraiser, Study, is_past_last_day
from survey.selectors.admission import earlier_appraiser, find_admission
from survey.services.assigning import assign
from survey.tokens import token_digest

#: No vowels, and no characters that look alike: no 0 O Q, 1 I L, 2 Z, 5 S, 6 G, 8 B.
CODE_LETTERS = "3479CDFHJKMNPRTVWX"


@transaction.atomic
def join_study(
    *,
    study: Study,
    kind: str = Appraiser.Kind.REAL,
    ticket: str = "",
    invitation: str = "",
    panel: Mapping[str, Sequence[str]] | None = None,
    language: str = "",
    now: datetime | None = None,
) -> tuple[Appraiser, str]:
    """Make an appraiser who has consented, with all assignments; returns the secret token too.

    The same ``ticket``, sent again by a double click, returns the appraiser it made before. So do
    a personal link's secret (``invitation``) and a panel's parameters (``panel``, all values of
    each name in the address), in a study that requires them. ``language`` is that of the page:
    the consent text in this language was accepted, and is stored.

    Raises NotInvited without the required secret or parameters, StudyClosed, and StudyFull where
    every question is judged or reserved as often as wanted; pilot and real appraisers are counted
    separately.
    """
    # Joining takes turns, so that each appraiser's assignments are counted by the next one.
    # SQLite's transactions are IMMEDIATE; elsewhere the row is locked.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if is_past_last_day(study.retain_until, now):
        study.past_outcomes.all().delete()
    way = find_admission(study, kind=kind, ticket=ticket, invitation=invitation, panel=panel)
    if known := earlier_appraiser(study, kind, way):
        # The digest only differs if the SECRET_KEY changed since: the old link is then replaced.
        study.appraisers.filter(pk=known.pk).update(token_digest=token_digest(way.token))
        return known, way.token
    if not study.is_open_for(kind):
        raise StudyClosed("Nobody can join this study now.")
    # Withdrawn appraisers have no row, but their numbers (and so their draws) are never reused.
    so_far = study.appraisers.filter(kind=kind).aggregate(count=Count("pk"), last=Max("number"))
    gone = study.withdrawals.filter(kind=kind).count()
    accepted = study.texts_in(language)["consent_text"]
    now = now or timezone.now()
    appraiser = Appraiser.objects.create(
        study=study,
        kind=kind,
        number=max(so_far["count"] + gone, so_far["last"] or 0) + 1,
        token_digest=token_digest(way.token),
        completion_code=_completion_code(),
        language=language,
        consent_text=accepted,
        consent_version=consent_version(accepted),
        panel_person=way.person,
        panel=way.parameters,
        consented_at=now,
        seen_at=now,
    )
    if way.invitation:
        fresh = study.invitations.filter(pk=way.invitation.pk, used_at=None, revoked_at=None)
        # A researcher may have revoked it since it was read.
        if not fresh.update(used_at=now, appraiser=appraiser):
            raise NotInvited("This personal link was revoked.", reason="revoked")
    assign(appraiser=appraiser, now=now)
    return appraiser, way.token


def mark_instructed(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """Store when the instructions were read; later calls change nothing."""
    waiting = Appraiser.objects.filter(pk=appraiser.pk, instructed_at=None)
    waiting.update(instructed_at=now or timezone.now())


def set_language(*, appraiser: Appraiser, language: str) -> None:
    """Change the language of the pages; the consent remains the text that was accepted."""
    Appraiser.objects.filter(pk=appraiser.pk).update(language=language)


def consent_version(text: str) -> str:
    """Identifies a consent text: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _completion_code() -> str:
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"
