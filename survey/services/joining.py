"""How one comes in: consent, a private link, questions of one's own."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from survey.errors import NotInvited, StudyClosed
from survey.models import Appraiser, Study
from survey.selectors.admission import came_before, way_in
from survey.services.assigning import assign
from survey.tokens import new_token, token_digest
from survey.wording.of_study import words_of

__all__ = ["begin", "check_open", "consent_version", "join_study", "new_ticket", "token_digest"]

#: No vowels, and nothing mistaken for something else: no 0 O Q, 1 I L, 2 Z, 5 S, 6 G, 8 B.
CODE_LETTERS = "3479CDFHJKMNPRTVWX"


def new_ticket() -> str:
    """What a page with the consent text carries, so that accepting it twice joins once."""
    return new_token()


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
    """A new appraiser, who has consented, with all assignments; returns the secret token too.

    A double click sends the same ``ticket`` again: it leads to the appraiser it made before. So
    do a personal link's secret (``invitation``) and a panel's parameters (``panel``, all values
    of each name in the address), where the study wants them; NotInvited without.
    ``language`` is that of the page: the consent text in it was accepted, and is kept.
    StudyFull where all questions were judged, or are being, by as many as are wanted: real ones
    and those of the pilot apart. StudyClosed.
    """
    # One at a time: who joins at the same moment must see these assignments counted. SQLite's
    # transactions are IMMEDIATE, elsewhere the row is locked.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    way = way_in(study, kind=kind, ticket=ticket, invitation=invitation, panel=panel)
    if known := came_before(study, kind, way):
        # Unchanged, unless the site has got a new SECRET_KEY since: then her old link ends here.
        study.appraisers.filter(pk=known.pk).update(token_digest=token_digest(way.token))
        return known, way.token
    check_open(study, kind)
    # Of one who withdrew no row is left, but nobody gets the same number, and so the same draws.
    so_far = study.appraisers.filter(kind=kind).aggregate(count=Count("pk"), last=Max("number"))
    gone = study.withdrawals.filter(kind=kind).count()
    accepted = words_of(study, language).consent_text
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
        # A researcher may have taken it back since it was read.
        if not fresh.update(used_at=now, appraiser=appraiser):
            raise NotInvited("This personal link was taken back.", reason="revoked")
    assign(appraiser=appraiser, now=now)
    return appraiser, way.token


def begin(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """The instructions were read; later calls change nothing."""
    waiting = Appraiser.objects.filter(pk=appraiser.pk, instructed_at=None)
    waiting.update(instructed_at=now or timezone.now())


def speak_to(*, appraiser: Appraiser, language: str) -> None:
    """The pages speak this language from now on; the consent stays the text that was accepted."""
    Appraiser.objects.filter(pk=appraiser.pk).update(language=language)


def check_open(study: Study, kind: str) -> None:
    """StudyClosed when the study takes no answers of that kind."""
    if not study.takes(kind):
        raise StudyClosed("This study takes no answers now.")


def consent_version(text: str) -> str:
    """Which words these are: the first 16 hex digits of their SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _completion_code() -> str:
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"
