"""Who may join a study, and which private link their entry leads to; reads only.

The entry is a page's ``ticket``, a personal link's secret, or the parameters of a panel. Each
leads to one private link, however often it is used and from any device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from survey import tokens
from survey.errors import AlreadyEnded, NotInvited
from survey.models import Appraiser, Invitation, PastOutcome, Study, is_past_last_day
from survey.protocol import panels


@dataclass(frozen=True)
class Admission:
    """``token`` is the secret of the private link; ``person`` is the panel's name for the visitor,
    ``parameters`` all that the panel sent; ``invitation`` is the personal link that joining uses
    up (None in a pilot)."""

    token: str
    person: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    invitation: Invitation | None = None


def find_admission(
    study: Study,
    *,
    kind: str,
    ticket: str = "",
    invitation: str = "",
    panel: Mapping[str, Sequence[str]] | None = None,
) -> Admission:
    """The private link that this entry leads to. Raises NotInvited if the study requires another.

    ``panel`` holds all values of each name in the query string. Simulated appraisers need nothing.
    """
    if kind != Appraiser.Kind.SIMULATED:
        if study.entry == "personal":
            return _by_invitation(study, kind, invitation)
        if study.entry == "panel":
            return _by_panel(study, kind, panel or {})
    if len(ticket) >= tokens.TICKET_LENGTH:
        return Admission(tokens.token_of_ticket(study.pk, kind, ticket))
    return Admission(tokens.new_token())


def earlier_appraiser(study: Study, kind: str, way: Admission) -> Appraiser | None:
    """The appraiser who joined by this entry before."""
    own = study.appraisers.filter(kind=kind)
    if way.person:
        return own.filter(panel_person=way.person).first()
    return own.filter(token_digest=tokens.token_digest(way.token)).first()


def earlier_visit(
    study: Study,
    kind: str,
    *,
    invitation: str = "",
    panel: Mapping[str, Sequence[str]] | None = None,
) -> tuple[Appraiser, Admission] | None:
    """The appraiser who joined by this entry before, and their admission. Raises NotInvited."""
    if study.entry == "open":
        return None
    way = find_admission(study, kind=kind, invitation=invitation, panel=panel)
    known = earlier_appraiser(study, kind, way)
    # After a change of the SECRET_KEY people from a panel get new links when they join again.
    is_valid = known and known.token_digest == tokens.token_digest(way.token)
    return (known, way) if known and is_valid else None


def past_outcome(study: Study, kind: str, person: str) -> PastOutcome | None:
    """The outcome of a panel's person whose answers were erased, until the retention date."""
    if is_past_last_day(study.retain_until):
        return None
    return study.past_outcomes.filter(digest=tokens.past_digest(study.pk, kind, person)).first()


def _by_invitation(study: Study, kind: str, secret: str) -> Admission:
    if not secret:
        raise NotInvited("Joining this study takes a personal link.", reason="personal")
    digest = tokens.token_digest(secret)
    found = study.invitations.select_related("appraiser").filter(digest=digest).first()
    if found is None:
        raise NotInvited("There is no such personal link.", reason="unknown")
    if found.revoked_at:
        raise NotInvited("This personal link was revoked.", reason="revoked")
    token = tokens.token_of_invitation(secret, kind)
    if kind == Appraiser.Kind.PILOT:
        # A pilot does not use up the link; it remains for the study itself.
        return Admission(token)
    if found.used_at and not found.appraiser:
        raise NotInvited(
            "This personal link was used, and its answers were erased.", reason="spent"
        )
    return Admission(token, invitation=found)


def _by_panel(study: Study, kind: str, sent: Mapping[str, Sequence[str]]) -> Admission:
    parameters = panels.read_arrival(study.panel, sent)
    person = parameters[study.panel["person"]]
    if past := past_outcome(study, kind, person):
        raise AlreadyEnded(person, past.outcome, parameters)
    return Admission(tokens.token_of_person(study.pk, kind, person), person, parameters)
