"""How appraisers reach a study, and how a panel gets them back; reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Case, Count, Q, QuerySet, Sum, Value, When

from survey.models import Appraiser, Invitation, Study
from survey.protocol import panels

UNFINISHED = "unfinished"


@dataclass(frozen=True)
class LinkCounts:
    """Personal links: a ``used`` link made an appraiser, a ``finished`` one led to an outcome."""

    made: int
    used: int
    finished: int
    revoked: int

    @property
    def unused(self) -> int:
        return self.made - self.used - self.revoked


@dataclass(frozen=True)
class OutcomeLine:
    """An outcome of a panel study, with the number of appraisers; pilots are counted apart.

    ``erased`` counts people, of kind real, who had their answers erased after this outcome, and
    ``n_returns`` their visits by the panel's link since then.
    """

    outcome: str
    code: str
    url: str
    real: int
    pilot: int
    erased: int = 0
    n_returns: int = 0


@dataclass(frozen=True)
class PanelReturn:
    """How an appraiser returns to their panel: by the address, or with the code."""

    panel: str
    outcome: str
    url: str
    code: str


@dataclass(frozen=True)
class Attendance:
    """Appraisers of kind real who joined, and who completed the study."""

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
    """Every personal link with its ``state``, but not when or by whom it was used.

    After a withdrawal, the state only says that the link was used.
    """
    return study.invitations.order_by("number").annotate(
        state=Case(
            When(revoked_at__isnull=False, then=Value("revoked")),
            When(appraiser__finished_at__isnull=False, then=Value("finished")),
            When(used_at__isnull=False, then=Value("used")),
            default=Value("not used"),
        )
    )


def outcome_lines(study: Study) -> list[OutcomeLine]:
    """The outcomes reported to the panel, then the appraisers without one yet."""
    rows = sent_by_panel(study).order_by().values_list("outcome")
    counted = rows.annotate(
        real=Count("pk", filter=Q(kind=Appraiser.Kind.REAL)),
        pilot=Count("pk", filter=Q(kind=Appraiser.Kind.PILOT)),
    )
    counts = {outcome: (real, pilot) for outcome, real, pilot in counted}
    past = study.past_outcomes.filter(kind=Appraiser.Kind.REAL).order_by().values_list("outcome")
    erased = {
        outcome: (people, visits)
        for outcome, people, visits in past.annotate(Count("pk"), Sum("n_returns"))
    }
    ends = study.panel.get("outcomes", {})
    lines = []
    for outcome in panels.OUTCOMES:
        end = ends.get(outcome, {})
        code, url = end.get("code", ""), end.get("url", "")
        numbers = (*counts.get(outcome, (0, 0)), *erased.get(outcome, (0, 0)))
        lines.append(OutcomeLine(outcome, code, url, *numbers))
    return [*lines, OutcomeLine(UNFINISHED, "", "", *counts.get("", (0, 0)))]


def sent_by_panel(study: Study) -> QuerySet[Appraiser]:
    """The panel's participants, sorted by the panel's ids, which say nothing about our order."""
    return study.appraisers.exclude(panel_person="").order_by("panel_person", "kind")


def panel_return(appraiser: Appraiser | None) -> PanelReturn | None:
    """None unless a panel sent this appraiser and their outcome is stored."""
    if not (appraiser and appraiser.study.panel and appraiser.panel_person and appraiser.outcome):
        return None
    parameters = appraiser.latest_panel or appraiser.panel
    return return_with(appraiser.study, appraiser.outcome, parameters)


def return_with(study: Study, outcome: str, parameters: Mapping[str, str]) -> PanelReturn:
    """How somebody with this outcome, sent with these parameters, returns to the panel."""
    panel = study.panel
    return PanelReturn(
        panel=panel.get("name", ""),
        outcome=outcome,
        url=panels.return_address(panel, outcome=outcome, parameters=parameters),
        code=panel["outcomes"][outcome].get("code", ""),
    )
