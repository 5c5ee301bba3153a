"""Makes and revokes personal links; they are shown once, since only their digests are stored."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from survey import tokens
from survey.errors import StudyError
from survey.models import Invitation, Study

MOST_AT_ONCE = 10_000
LONGEST_LABEL = 200


@transaction.atomic
def make_invitations(
    *,
    study: Study,
    count: int,
    labels: Sequence[str] = (),
    ticket: str = "",
    now: datetime | None = None,
) -> list[Invitation]:
    """Make ``count`` personal links, each with its ``token``; the first get the ``labels``.

    The same ``ticket`` returns the same links again and makes none: a form that is sent twice
    makes one batch, and an interrupted download can be repeated. Raises StudyError for a count or
    a label that is not possible.
    """
    # Batches are made one after the other, since each continues the numbers of the last one.
    study = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if len(ticket) < tokens.TICKET_LENGTH:
        ticket = tokens.new_token()
    elif made := links_of_ticket(study=study, ticket=ticket):
        return made
    labels = _check(study, count, labels)
    last = study.invitations.aggregate(last=Max("number"))["last"] or 0
    links = [
        Invitation(study=study, number=last + 1 + place, label=label)
        for place, label in enumerate(labels)
    ]
    now = now or timezone.now()
    for place, link in enumerate(links):
        link.token = tokens.token_of_batch(study.pk, ticket, place)
        link.digest, link.created_at = tokens.token_digest(link.token), now
    return Invitation.objects.bulk_create(links, batch_size=500)


def links_of_ticket(*, study: Study, ticket: str) -> list[Invitation]:
    """The links that this ticket made, if any."""
    digest = tokens.token_digest(tokens.token_of_batch(study.pk, ticket, 0))
    first = study.invitations.filter(digest=digest).first()
    if first is None:
        return []
    links: list[Invitation] = []
    batch = study.invitations.filter(number__gte=first.number).order_by("number")
    for place, link in enumerate(batch[:MOST_AT_ONCE]):
        link.token = tokens.token_of_batch(study.pk, ticket, place)
        if link.digest != tokens.token_digest(link.token):
            break
        links.append(link)
    return links


def revoke_invitations(
    *, study: Study, numbers: Collection[int] | None = None, now: datetime | None = None
) -> int:
    """Revoke unused personal links, those of ``numbers`` or all; returns how many."""
    unused = study.invitations.filter(used_at=None, revoked_at=None)
    if numbers is not None:
        unused = unused.filter(number__in=list(numbers))
    # One UPDATE: a link that is used at this moment is either used or revoked, never both.
    return unused.update(revoked_at=now or timezone.now())


def numbers_in(text: str) -> set[int]:
    """The numbers in a text such as ``3, 7-12``. Raises StudyError."""
    numbers: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        ends = [first.strip(), last.strip() if dash else first.strip()]
        if not all(end.isascii() and end.isdecimal() and len(end) <= 9 for end in ends):
            raise StudyError(
                f"{part[:40]!r} is not a number of a link. Write numbers like this: 3, 7-12."
            )
        low, high = map(int, ends)
        if not low <= high < low + MOST_AT_ONCE:
            raise StudyError(
                f"{part[:40]!r} is not a range of at most {MOST_AT_ONCE:,} links, lowest first."
            )
        numbers.update(range(low, high + 1))
        # Databases limit the number of values in a query.
        if len(numbers) > MOST_AT_ONCE:
            raise StudyError(f"These are too many links. Name at most {MOST_AT_ONCE:,} at once.")
    return numbers


def _check(study: Study, count: int, labels: Sequence[str]) -> list[str]:
    if study.entry != "personal":
        raise StudyError(
            f"The study {study.slug!r} has no personal links: its entry is {study.entry!r}. "
            "The entry is chosen when a study is prepared."
        )
    if study.status == Study.Status.CLOSED:
        raise StudyError(f"The study {study.slug!r} is closed, so new links could not be used.")
    if not 1 <= count <= MOST_AT_ONCE:
        raise StudyError(f"{count} links are not possible. Make 1 to {MOST_AT_ONCE:,} at once.")
    if len(labels) > count:
        links = "1 link" if count == 1 else f"{count} links"
        raise StudyError(f"There are {len(labels)} labels for {links}. Make more links.")
    for label in labels:
        if len(label) > LONGEST_LABEL or not label.isprintable():
            raise StudyError(
                f"The label {label[:40]!r} is not possible: one line of at most "
                f"{LONGEST_LABEL} characters."
            )
    return [*labels, *([""] * (count - len(labels)))]
