"""Many appraisers join at once, by personal links and from a panel."""

from collections import Counter
from typing import Any

from tests.races.threads import at_once

DEVICES, LINKS, MAKERS = 8, 12, 6


def one_link() -> dict[str, Any]:
    """Consent on several devices at once, all by the same personal link."""
    from survey.services.inviting import make_invitations
    from survey.services.joining import join_study
    from tests.factories import StudyFactory

    study = StudyFactory(slug="one-link", entry="personal")
    (link,) = make_invitations(study=study, count=1)

    def consent() -> str:
        return join_study(study=study, invitation=link.token)[1]

    return _ends(study, at_once([consent] * DEVICES))


def one_person() -> dict[str, Any]:
    """The same of a panel's people, in several sessions at once."""
    from survey.protocol import panels
    from survey.services.joining import join_study
    from tests.factories import StudyFactory

    panel = panels.prolific_panel(done="A", screened="B", failed="C")
    study = StudyFactory(slug="one-person", entry="panel", panel=panel)

    def consent(session: int) -> str:
        sent = {"PROLIFIC_PID": ["ada"], "STUDY_ID": ["s"], "SESSION_ID": [str(session)]}
        return join_study(study=study, panel=sent)[1]

    return _ends(study, at_once(lambda n=n: consent(n) for n in range(DEVICES)))


def use_or_revoke() -> dict[str, Any]:
    """Links are used while a researcher takes all of them back."""
    from survey.services.inviting import make_invitations, revoke_invitations
    from survey.services.joining import join_study
    from tests.factories import StudyFactory

    study = StudyFactory(slug="taken-back", entry="personal")
    links = make_invitations(study=study, count=LINKS)

    def use(token: str) -> str:
        join_study(study=study, invitation=token)
        return "joined"

    actions = [lambda link=link: use(link.token) for link in links]
    actions.insert(LINKS // 2, lambda: revoke_invitations(study=study))
    ends = at_once(actions)
    revoked = ends.pop(LINKS // 2)
    rows = study.invitations
    return {
        "ends": Counter(ends),
        "revoked": [revoked, rows.exclude(revoked_at=None).count()],
        "used": [study.appraisers.count(), rows.exclude(used_at=None).count()],
    }


def make_at_once() -> dict[str, Any]:
    """Batches are made at the same moment; two of them by one form that was sent twice."""
    from survey import tokens
    from survey.services.inviting import make_invitations
    from tests.factories import StudyFactory

    study = StudyFactory(slug="batches", entry="personal")
    twice = tokens.new_token()
    tickets = [twice, twice, *(tokens.new_token() for _ in range(MAKERS - 2))]
    batches = at_once(
        lambda ticket=ticket: make_invitations(study=study, count=5, ticket=ticket)
        for ticket in tickets
    )
    numbers = sorted(study.invitations.values_list("number", flat=True))
    return {"numbers": numbers, "same": batches[0] == batches[1]}


def _ends(study: Any, links: list[str]) -> dict[str, Any]:
    return {"links": len(set(links)), "people": study.appraisers.count(), "first": links[0]}


def run() -> dict[str, Any]:
    return {
        "link": one_link(),
        "person": one_person(),
        "revoke": use_or_revoke(),
        "make": make_at_once(),
    }
