"""Secrets in links: how they are made, and what is stored of them, which is never they."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

from django.utils.crypto import salted_hmac

#: Shorter tickets are not ours, and might be somebody else's too.
TICKET_LENGTH = 43


def new_token() -> str:
    return secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """What is stored of a private or personal link: enough to know it again, not to open it."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_of_ticket(study: int, kind: str, ticket: str) -> str:
    """Of a ticket always the same, and still nothing that its holder could choose.

    Tickets are neither stored nor signed, since anybody may fetch one: whoever makes one up comes
    in as whoever was given one, once, within the same limits. Only another's own ticket, of 256
    random bits, leads to that person's link.
    """
    return _made("survey.join", f"{study}/{kind}/{ticket}")


def token_of_person(study: int, kind: str, person: str) -> str:
    """The private link of one whom a panel sends: the same on every device she comes from."""
    return _made("survey.panel", f"{study}/{kind}/{person}")


def token_of_invitation(invitation: str, kind: str) -> str:
    """The private link that a personal link leads to.

    Made of the personal link's own secret, which is stored nowhere: nobody but its holder can
    come to it. Trial and study have different ones.
    """
    made = hmac.new(invitation.encode(), f"survey.invitation/{kind}".encode(), hashlib.sha256)
    return _written(made.digest())


def token_of_batch(study: int, ticket: str, place: int) -> str:
    """A personal link's secret: the one at this place among those made by one submitted form."""
    return _made("survey.invite", f"{study}/{ticket}/{place}")


def _made(purpose: str, of: str) -> str:
    return _written(salted_hmac(purpose, of, algorithm="sha256").digest())


def _written(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
