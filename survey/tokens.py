"""Creates the tokens of private and personal links; only their SHA-256 digests are stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from survey.models import Assignment

#: The site issues no shorter tickets; a shorter one might be used by two people.
TICKET_LENGTH = 43


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a private or personal link: it identifies the link and cannot open it."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of_ticket(study: int, kind: str, ticket: str) -> str:
    """The private link of a ticket: always the same, and the ticket's holder cannot choose it.

    Tickets are neither stored nor signed, since anybody may fetch one: a made-up ticket is
    accepted like a real one, once and under the same limits. Somebody else's link can only be
    reached with that person's own ticket of 256 random bits.
    """
    return _derive("survey.join", f"{study}/{kind}/{ticket}")


def token_of_person(study: int, kind: str, person: str) -> str:
    """The private link of a person sent by a panel: the same on all of their devices."""
    return _derive("survey.panel", f"{study}/{kind}/{person}")


def past_digest(study: int, kind: str, person: str) -> str:
    """What is kept of a person sent by a panel whose answers were erased.

    It is keyed by the server's secret, so the stored digests cannot be compared with guessed ids.
    """
    what = f"{study}/{kind}/{person}"
    return salted_hmac("survey.past", what, algorithm="sha256").hexdigest()


def token_of_invitation(invitation: str, kind: str) -> str:
    """The private link that a personal link leads to; pilot and study have different ones.

    It is derived from the personal link's own secret, which is stored nowhere, so only the
    holder of that link can reach it.
    """
    made = hmac.new(invitation.encode(), f"survey.invitation/{kind}".encode(), hashlib.sha256)
    return _to_text(made.digest())


def token_of_batch(study: int, ticket: str, place: int) -> str:
    """The secret of a personal link: number ``place`` of those made with one submitted form."""
    return _derive("survey.invite", f"{study}/{ticket}/{place}")


def shown_digest(assignment: Assignment) -> str:
    """What was on the page: the question's number and the items on the left and on the right.

    The form sends it back, so that an answer to anything but what is stored is recognised as
    stale. It is keyed by the server's secret and covers the assignment: nobody outside can make
    or compare one, and it does not tell which arm recommended which item.
    """
    question = assignment.question
    left, right = question.first_item_id, question.second_item_id
    if assignment.left_arm_id != question.first_arm_id:
        left, right = right, left
    what = f"{assignment.key}/{question.number}/{left}/{right}"
    return salted_hmac("survey.shown", what, algorithm="sha256").hexdigest()[:32]


def _derive(purpose: str, of: str) -> str:
    return _to_text(salted_hmac(purpose, of, algorithm="sha256").digest())


def _to_text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
