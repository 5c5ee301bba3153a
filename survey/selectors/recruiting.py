"""How appraisers reach a study, and how a panel gets them back; reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db.models import Case, Count, Q, QuerySet, Sum, Value, When

from survey.models import Appraiser, Invitation, Study
from survey.protocol import panels

UNFINISHED = "unfinished"


def attendance(study: Study) -> dict[str, int]:
    """How many appraisers of kind real ``joined``, and how many ``finished`` the study."""
    return study.appraisers.filter(kind=Appraiser.Kind.REAL).aggregate(
        joined=Count("pk"), finished=Count("pk", filter=Q(outcome=Appraiser.Outcome.DONE))
    )


def link_counts(study: Study) -> dict[str, int]:
    """Personal links: a ``used`` link made an appraiser, a ``finished`` one led to an outcome."""
    return study.invitations.aggregate(
        made=Count("pk"),
        used=Count("used_at"),
        finished=Count("appraiser__finished_at"),
        revoked=Count("revoked_at"),
        unused=Count("pk", filter=Q(used_at=None, revoked_at=None)),
    )


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


def outcome_lines(study: Study) -> list[dict[str, Any]]:
    """The outcomes reported to the panel, then "" for the appraisers without one yet.

    Each with its ``code`` and ``url``, if any, and the number of ``real`` and ``pilot`` appraisers.
    ``erased`` counts people, of kind real, who had their answers erased after this outcome, and
    ``n_returns`` their visits by the panel's link since then.
    """
    counted = (
        sent_by_panel(study)
        .order_by()
        .values("outcome")
        .annotate(
            real=Count("pk", filter=Q(kind=Appraiser.Kind.REAL)),
            pilot=Count("pk", filter=Q(kind=Appraiser.Kind.PILOT)),
        )
    )
    past = study.past_outcomes.filter(kind=Appraiser.Kind.REAL).order_by().values("outcome")
    erased = past.annotate(erased=Count("pk"), n_returns=Sum("n_returns"))
    numbers: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in (*counted, *erased):
        numbers[row["outcome"]] |= row
    ends = study.panel.get("outcomes", {})
    blank = dict.fromkeys(("real", "pilot", "erased", "n_returns"), 0)
    return [
        blank | {"outcome": outcome} | numbers[outcome] | ends.get(outcome, {})
        for outcome in (*panels.OUTCOMES, "")
    ]


def sent_by_panel(study: Study) -> QuerySet[Appraiser]:
    """The panel's participants, sorted by the panel's ids, which say nothing about our order."""
    return study.appraisers.exclude(panel_person="").order_by("panel_person", "kind")


def panel_return(appraiser: Appraiser | None) -> dict[str, str] | None:
    """How an appraiser returns to their ``panel``: by the ``url``, or with the ``code``.

    None unless a panel sent this appraiser and their outcome is stored.
    """
    if not (appraiser and appraiser.study.panel and appraiser.panel_person and appraiser.outcome):
        return None
    parameters = appraiser.latest_panel or appraiser.panel
    return return_with(appraiser.study, appraiser.outcome, parameters)


def return_with(study: Study, outcome: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """How somebody with this outcome, sent with these parameters, returns to the panel."""
    return {
        "panel": study.panel.get("name", ""),
        "outcome": outcome,
        "url": panels.return_address(study.panel, outcome=outcome, parameters=parameters),
        "code": study.panel["outcomes"][outcome].get("code", ""),
    }
