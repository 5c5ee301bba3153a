"""The researchers' list of studies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from survey.models import Appraiser, Judgment, Question, Study


@dataclass(frozen=True)
class StudyLine:
    """A study in the researchers' list; judgments and appraisers are those of kind real."""

    slug: str
    title: str
    status: str
    dataset: str
    n_questions: int
    n_judgments: int
    n_appraisers: int
    n_finished: int
    n_simulated_judgments: int
    quota: int
    created_at: datetime
    launched_at: datetime | None
    closed_at: datetime | None


def study_list() -> list[StudyLine]:
    """Every study, newest first; one query."""
    rows = Study.objects.select_related("dataset").annotate(
        n_questions=_count(Question.objects.filter(study=OuterRef("pk")), "study"),
        n_appraisers=_count(_appraisers(kind="real"), "study"),
        n_finished=_count(_appraisers(kind="real", finished_at__isnull=False), "study"),
        n_judgments=_count(_judgments(kind="real"), "assignment__appraiser__study"),
        n_simulated=_count(_judgments(kind="simulated"), "assignment__appraiser__study"),
    )
    return [
        StudyLine(
            slug=row.slug,
            title=row.title,
            status=row.status,
            dataset=row.dataset.name,
            n_questions=row.n_questions,
            n_judgments=row.n_judgments,
            n_appraisers=row.n_appraisers,
            n_finished=row.n_finished,
            n_simulated_judgments=row.n_simulated,
            quota=row.quota,
            created_at=row.created_at,
            launched_at=row.launched_at,
            closed_at=row.closed_at,
        )
        for row in rows.defer("profile_pool", "consent_text", "instructions")
    ]


def _appraisers(**conditions: Any) -> QuerySet[Appraiser]:
    return Appraiser.objects.filter(study=OuterRef("pk"), **conditions)


def _judgments(kind: str) -> QuerySet[Judgment]:
    return Judgment.objects.filter(
        assignment__appraiser__study=OuterRef("pk"), assignment__appraiser__kind=kind
    )


def _count(rows: QuerySet, study: str) -> Coalesce:
    """A count as a subquery: joins of several lists would multiply each other's rows."""
    counted = rows.order_by().values(study).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
