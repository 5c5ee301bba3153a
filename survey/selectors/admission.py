"""Who may come into a study, and to which private link that leads; reads only.

Everybody comes in one way: by a page's ``ticket``, by a personal link's secret, or by the
parameters of a panel. Each leads to one private link, however often and from whatever device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from survey import tokens
from survey.errors import NotInvited
from survey.models import Appraiser, Invitation, Study
from survey.protocol import panels


@dataclass(frozen=True)
class Way:
    """``token`` is the secret of the private link; ``person`` whom a panel names, with all of the
    panel's ``parameters``; ``invitation`` the personal link to be used up (None in a trial)."""

    token: str
    person: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    invitation: Invitation | None = None


def way_in(
    study: Study,
    *,
    kind: str,
    ticket: str = "",
    invitation: str = "",
    panel: Mapping[str, Sequence[str]] | None = None,
) -> Way:
    """The way of one who brings this. NotInvited where the study wants something else brought.

    ``panel`` holds all values of each name in the address. Simulated appraisers need nothing.
    """
    if kind != Appraiser.Kind.SIMULATED:
        if study.entry == "personal":
            return _by_invitation(study, kind, invitation)
        if study.entry == "panel":
            return _by_panel(study, kind, panel or {})
    if len(ticket) >= tokens.TICKET_LENGTH:
        return Way(tokens.token_of_ticket(study.pk, kind, ticket))
    return Way(tokens.new_token())


def came_before(study: Study, kind: str, way: Way) -> Appraiser | None:
    """The appraiser who came in this way already."""
    own = study.appraisers.filter(kind=kind)
    if way.person:
        return own.filter(panel_person=way.person).first()
    return own.filter(token_digest=tokens.token_digest(way.token)).first()


def link_before(
    study: Study,
    kind: str,
    *,
    invitation: str = "",
    panel: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The secret of the private link to which this led before; "" if to none. NotInvited."""
    if study.entry == "open":
        return ""
    way = way_in(study, kind=kind, invitation=invitation, panel=panel)
    known = came_before(study, kind, way)
    # Once the site has a new SECRET_KEY a panel's people get new links, when they join again.
    return way.token if known and known.token_digest == tokens.token_digest(way.token) else ""


def _by_invitation(study: Study, kind: str, secret: str) -> Way:
    if not secret:
        raise NotInvited("This study takes those who hold a personal link.", reason="personal")
    digest = tokens.token_digest(secret)
    found = study.invitations.select_related("appraiser").filter(digest=digest).first()
    if found is None:
        raise NotInvited("There is no such personal link.", reason="unknown")
    if found.revoked_at:
        raise NotInvited("This personal link was taken back.", reason="revoked")
    token = tokens.token_of_invitation(secret, kind)
    if kind == Appraiser.Kind.PILOT:
        # A trial burns no link: it is still there for the study itself.
        return Way(token)
    if found.used_at and not found.appraiser:
        raise NotInvited("This personal link was used, and its answers erased.", reason="spent")
    return Way(token, invitation=found)


def _by_panel(study: Study, kind: str, sent: Mapping[str, Sequence[str]]) -> Way:
    parameters = panels.read_arrival(study.panel, sent)
    person = parameters[study.panel["person"]]
    return Way(tokens.token_of_person(study.pk, kind, person), person, parameters)
