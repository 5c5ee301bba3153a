"""The researchers' list of studies, and the trained models that may become arms."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from recommender.core.systems import SYSTEMS, present_name
from recommender.models import Dataset, TrainedModel
from recommender.selectors import newest_model
from survey.errors import StudyError
from survey.models import Appraiser, Judgment, Study, StudyEvent
from survey.selectors.counts import FAILED, main_judgments


def study_list() -> QuerySet[Study]:
    """Every study, newest first, with the counts of its line in the researchers' list; one query.

    ``n_finished`` appraisers of kind real completed the study; ``n_judgments`` are of kind real,
    ``n_simulated_judgments`` of kind simulated. ``since`` is the time of the last change of status.
    """
    events = StudyEvent.objects.filter(study=OuterRef("pk")).order_by("-pk")
    finished = Appraiser.objects.filter(
        study=OuterRef("pk"), kind="real", outcome=Appraiser.Outcome.DONE
    )
    return Study.objects.annotate(
        dataset_name=F("dataset__name"),
        n_finished=_count(finished, "study"),
        n_judgments=_count(_judgments(kind="real"), "assignment__appraiser__study"),
        n_simulated_judgments=_count(_judgments(kind="simulated"), "assignment__appraiser__study"),
        since=Coalesce(Subquery(events.values("at")[:1]), "launched_at"),
    ).defer("profile_pool", "consent_text", "instructions")


def model_for_arm(*, dataset: Dataset, text: str) -> TrainedModel:
    """The newest trained model of ``SYSTEM[:PRESET]``, or the one with this id. StudyError."""
    if text.isdecimal():
        found = TrainedModel.objects.filter(pk=int(text)).first()
        if found is None:
            raise StudyError(f"There is no trained model {text}.{_available(dataset)}")
        return found
    system, _, preset = text.partition(":")
    if system not in SYSTEMS:
        raise StudyError(f"There is no system {system!r}. Choose from: {', '.join(SYSTEMS)}.")
    system = present_name(system, preset)
    presets = SYSTEMS[system].presets
    if preset and preset not in presets:
        raise StudyError(f"{system} has no preset {preset!r}. Choose from: {', '.join(presets)}.")
    found = newest_model(dataset=dataset, system=system, preset=preset)
    if found is None:
        flag = f" --preset {preset}" if preset else ""
        raise StudyError(
            f"{text} has not been trained on {dataset.name} yet. Run: manage.py train_models "
            f"--dataset {dataset.name} --systems {system}{flag}"
        )
    return found


def _available(dataset: Dataset) -> str:
    models = dataset.trained_models.order_by("-pk")[:10]
    known = ", ".join(
        f"{model.pk} ({present_name(model.system, model.preset)}:{model.preset})"
        for model in models
    )
    return f" {dataset.name} has: {known}." if known else f" {dataset.name} has none yet."


def _judgments(kind: str) -> QuerySet[Judgment]:
    """Judgments that count: of main questions, by appraisers who did not fail the checks."""
    return main_judgments(OuterRef("pk")).filter(assignment__appraiser__kind=kind).exclude(FAILED)


def _count(rows: QuerySet[Any], study: str) -> Coalesce:
    """A count as a subquery: joining several lists would multiply their rows."""
    counted = rows.order_by().values(study).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
