"""The researchers' list of studies, and the trained models that may become arms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from recommender.core.systems import SYSTEMS
from recommender.models import Dataset, TrainedModel
from recommender.selectors import newest_model
from survey.errors import StudyError
from survey.models import Appraiser, Judgment, Question, Study, StudyEvent
from survey.selectors.counts import FAILED, main_judgments


@dataclass(frozen=True)
class StudyLine:
    """A study in the researchers' list; judgments and appraisers are those of kind real.

    ``n_finished`` are those who did all that was asked, and passed the checks; ``n_wanted`` is
    how many judgments are enough.
    """

    slug: str
    title: str
    status: str
    dataset: str
    n_questions: int
    n_judgments: int
    n_wanted: int
    n_appraisers: int
    n_finished: int
    n_simulated_judgments: int
    created_at: datetime
    launched_at: datetime | None
    closed_at: datetime | None
    since: datetime | None


def study_list() -> list[StudyLine]:
    """Every study, newest first; one query."""
    steps = StudyEvent.objects.filter(study=OuterRef("pk")).order_by("-pk")
    rows = Study.objects.select_related("dataset").annotate(
        n_questions=_count(Question.objects.filter(study=OuterRef("pk")), "study"),
        n_appraisers=_count(_appraisers(kind="real"), "study"),
        n_finished=_count(_appraisers(kind="real", outcome=Appraiser.Outcome.DONE), "study"),
        n_judgments=_count(_judgments(kind="real"), "assignment__appraiser__study"),
        n_simulated=_count(_judgments(kind="simulated"), "assignment__appraiser__study"),
        last_step=Subquery(steps.values("at")[:1]),
    )
    return [
        StudyLine(
            slug=row.slug,
            title=row.title,
            status=row.status,
            dataset=row.dataset.name,
            n_questions=row.n_questions,
            n_judgments=row.n_judgments,
            n_wanted=row.judgments_wanted,
            n_appraisers=row.n_appraisers,
            n_finished=row.n_finished,
            n_simulated_judgments=row.n_simulated,
            created_at=row.created_at,
            launched_at=row.launched_at,
            closed_at=row.closed_at,
            since=row.last_step or row.launched_at,
        )
        for row in rows.defer("profile_pool", "consent_text", "instructions")
    ]


def model_for_arm(*, dataset: Dataset, text: str) -> TrainedModel:
    """The trained model meant by ``SYSTEM[:PRESET]`` (the newest) or by a model id. StudyError."""
    if text.isdecimal():
        found = TrainedModel.objects.filter(pk=int(text)).first()
        if found is None:
            raise StudyError(f"There is no trained model {text}.{_trained(dataset)}")
        return found
    system, _, preset = text.partition(":")
    if system not in SYSTEMS:
        raise StudyError(f"There is no system {system!r}. Choose from: {', '.join(SYSTEMS)}.")
    presets = SYSTEMS[system].presets
    if preset and preset not in presets:
        raise StudyError(f"{system} has no preset {preset!r}. Choose from: {', '.join(presets)}.")
    found = newest_model(dataset=dataset, system=system, preset=preset)
    if found is None:
        wish = f" --preset {preset}" if preset else ""
        raise StudyError(
            f"No {text} was trained on {dataset.name} so far. Run: manage.py train_models "
            f"--dataset {dataset.name} --systems {system}{wish}"
        )
    return found


def _trained(dataset: Dataset) -> str:
    models = dataset.trained_models.order_by("-pk")[:10]
    known = ", ".join(f"{model.pk} ({model.system}:{model.preset})" for model in models)
    return f" {dataset.name} has: {known}." if known else f" {dataset.name} has none yet."


def _appraisers(**conditions: Any) -> QuerySet[Appraiser]:
    return Appraiser.objects.filter(study=OuterRef("pk"), **conditions)


def _judgments(kind: str) -> QuerySet[Judgment]:
    """Those that count: practice, checks, repeats and people who failed the checks do not."""
    return main_judgments(OuterRef("pk")).filter(assignment__appraiser__kind=kind).exclude(FAILED)


def _count(rows: QuerySet, study: str) -> Coalesce:
    """A count as a subquery: joins of several lists would multiply each other's rows."""
    counted = rows.order_by().values(study).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
