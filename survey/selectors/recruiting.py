"""How people come to a study, for its researchers, and how a panel gets them back; reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Count, Q, QuerySet, Value, When

from survey.models import Appraiser, Invitation, Study
from survey.protocol import panels

UNFINISHED = "unfinished"


@dataclass(frozen=True)
class LinkCounts:
    """Personal links: ``used`` ones made an appraiser, ``finished`` ones led to an outcome."""

    made: int
    used: int
    finished: int
    revoked: int

    @property
    def unused(self) -> int:
        return self.made - self.used - self.revoked


@dataclass(frozen=True)
class OutcomeLine:
    """One way to end for people from a panel, and how many took it; trials are counted apart."""

    outcome: str
    code: str
    url: str
    real: int
    pilot: int


@dataclass(frozen=True)
class PanelReturn:
    """Where somebody from a panel goes from here: by the address, or with the code."""

    panel: str
    outcome: str
    url: str
    code: str


@dataclass(frozen=True)
class Attendance:
    """Of real people: who took part so far, and who did all that was asked."""

    joined: int
    finished: int


def attendance(study: Study) -> Attendance:
    found = study.appraisers.filter(kind=Appraiser.Kind.REAL).aggregate(
        joined=Count("pk"), finished=Count("pk", filter=Q(outcome=Appraiser.Outcome.DONE))
    )
    return Attendance(**found)


def link_counts(study: Study) -> LinkCounts:
    found = study.invitations.aggregate(
        made=Count("pk"),
        used=Count("used_at"),
        finished=Count("appraiser__finished_at"),
        revoked=Count("revoked_at"),
    )
    return LinkCounts(**found)


def list_links(study: Study) -> QuerySet[Invitation]:
    """Every personal link in order, with its ``state``; never when, nor by whom it was used.

    Of one whose user had everything erased it only says that the link was used.
    """
    return study.invitations.order_by("number").annotate(
        state=Case(
            When(revoked_at__isnull=False, then=Value("taken back")),
            When(appraiser__finished_at__isnull=False, then=Value("finished")),
            When(used_at__isnull=False, then=Value("used")),
            default=Value("not used"),
        )
    )


def outcome_lines(study: Study) -> list[OutcomeLine]:
    """The outcomes that the panel is told, then those who have come to none."""
    sent = study.appraisers.exclude(panel_person="").order_by()
    rows = sent.values_list("outcome").annotate(
        real=Count("pk", filter=Q(kind=Appraiser.Kind.REAL)),
        pilot=Count("pk", filter=Q(kind=Appraiser.Kind.PILOT)),
    )
    counted = {outcome: (real, pilot) for outcome, real, pilot in rows}
    ends = study.panel.get("outcomes", {})
    lines = [
        OutcomeLine(
            outcome,
            ends.get(outcome, {}).get("code", ""),
            ends.get(outcome, {}).get("url", ""),
            *counted.get(outcome, (0, 0)),
        )
        for outcome in panels.OUTCOMES
    ]
    return [*lines, OutcomeLine(UNFINISHED, "", "", *counted.get("", (0, 0)))]


def sent_by_panel(study: Study) -> Iterable[Appraiser]:
    """Those whom a panel sent, in the order of its names for them, so in no order of ours."""
    return study.appraisers.exclude(panel_person="").order_by("panel_person", "kind")


def panel_return(appraiser: Appraiser) -> PanelReturn | None:
    """None unless a panel sent this one and the outcome stands: nothing is left to be stored."""
    panel = appraiser.study.panel
    if not (panel and appraiser.panel_person and appraiser.outcome):
        return None
    return PanelReturn(
        panel=panel.get("name", ""),
        outcome=appraiser.outcome,
        url=panels.return_address(panel, outcome=appraiser.outcome, parameters=appraiser.panel),
        code=panel["outcomes"][appraiser.outcome].get("code", ""),
    )
