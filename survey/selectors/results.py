"""The results of a study for the appraisers of one kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from recommender.selectors import ERRORS, leaderboard
from survey.models import Appraiser, Arm, Study
from survey.selectors.arm_results import ArmResult, arm_result, pair_results
from survey.selectors.counts import (
    FAILED,
    confidence_counts,
    count_judgments,
    familiarity_counts,
    main_judgments,
    named_items,
    total,
)
from survey.selectors.trust import trust_facts


@dataclass(frozen=True)
class StudyResults:
    """Everything the results page shows about the appraisers of one kind; kinds are never mixed.

    Practice questions, checks and repeats appear only in ``trust.repeats``; appraisers who failed
    the checks only in ``trust`` and in the arms' ``share_with_failed``. ``kinds`` maps each kind
    to its number of judgments. ``n_judgments`` includes ``n_ties`` third answers. ``arms`` are in
    the study's order. ``familiarity`` and ``confidence`` are empty if not asked. ``error_table``
    has the rows of ``recommender.selectors.leaderboard`` with each arm's ``label``.
    ``loss_curves`` are the paper's Figure 4: for each arm (examples seen, training RMSE).
    """

    study: Study
    kind: str
    kinds: dict[str, int]
    n_judgments: int
    n_ties: int
    arms: list[ArmResult]
    pairs: list[dict[str, Any]]
    trust: dict[str, Any]
    familiarity: dict[str, list[int]] = field(default_factory=dict)
    confidence: dict[str, list[int]] = field(default_factory=dict)
    error_table: list[dict[str, Any]] = field(default_factory=list)
    loss_curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    @property
    def p_value(self) -> float | None:
        """The exact test of two arms against 50 %; None for more arms or without judgments."""
        return self.pairs[0]["p_value"] if len(self.pairs) == 1 else None

    @property
    def n_decided(self) -> int:
        return self.n_judgments - self.n_ties


def study_results(study: Study, *, kind: str) -> StudyResults:
    """The results of the appraisers of one kind; a constant number of queries."""
    judged = main_judgments(study)
    of_kind = judged.filter(assignment__appraiser__kind=kind)
    by_kind = judged.exclude(FAILED).values_list("assignment__appraiser__kind")
    counted, failed = count_judgments(of_kind)
    arms = list(study.arms.select_related("trained_model"))
    named = named_items(study, arms)
    return StudyResults(
        study=study,
        kind=kind,
        kinds=dict.fromkeys(Appraiser.Kind.values, 0)
        | dict(by_kind.annotate(n=Count("pk")).order_by()),
        n_judgments=total(counted),
        n_ties=total(each for each in counted if not each.is_decided),
        arms=[arm_result(arm, counted, failed, named[arm.pk]) for arm in arms],
        pairs=pair_results(arms, counted, named),
        trust=trust_facts(study, kind, counted, failed),
        familiarity=familiarity_counts(of_kind, arms) if study.ask_familiarity else {},
        confidence=confidence_counts(of_kind) if study.ask_confidence else {},
        error_table=_error_table(arms),
        loss_curves=_loss_curves(arms),
    )


def _error_table(arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """A row for each arm; the errors of an uploaded list are unknown."""
    models = [arm.model for arm in arms if arm.trained_model]
    known = {row["id"]: row for row in leaderboard(models)}
    blank = dict.fromkeys((*ERRORS, "seconds", "peak_memory_mb"))
    blank |= {"id": None, "preset": "", "split": "uploaded", "status": "uploaded"}
    return [
        {"label": arm.label, "system": arm.upload_name}
        | (known[arm.trained_model_id] if arm.trained_model_id else blank)
        for arm in arms
    ]


def _loss_curves(arms: Sequence[Arm]) -> dict[str, list[tuple[int, float]]]:
    return {
        arm.label: [(int(seen), float(loss)) for seen, loss in curve]
        for arm in arms
        if arm.trained_model and (curve := arm.trained_model.loss_curve)
    }
