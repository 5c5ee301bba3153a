"""The results of a study for the appraisers of one kind."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from recommender.core.systems import SYSTEMS
from recommender.models import Recommendation
from recommender.selectors import leaderboard
from survey.models import Appraiser, Arm, Assignment, Judgment, Study
from survey.stats.intervals import Proportion, proportion
from survey.stats.preference import binomial_p, side_balance


@dataclass(frozen=True)
class ArmResult:
    """How one arm fared with the appraisers of one kind.

    ``rate`` is ``wins / judged`` with its exact 95 % interval ``low`` to ``high`` (None without
    judgments; assumes independent judgments). ``shown_left`` counts the judged questions in which
    the arm stood left, ``chosen_left`` those of them in which it was chosen. ``tied_share`` is
    the share of the ``profiles_compared`` in which several movies shared the arm's top score,
    and ``tied_median`` the median number of movies that did, among those profiles (None without).
    """

    label: str
    system: str
    system_label: str
    preset: str
    wins: int
    judged: int
    rate: float | None
    low: float | None
    high: float | None
    shown_left: int
    chosen_left: int
    profiles_compared: int
    tied_share: float | None
    tied_median: float | None

    @property
    def shown_right(self) -> int:
        return self.judged - self.shown_left

    @property
    def chosen_right(self) -> int:
        return self.wins - self.chosen_left


@dataclass(frozen=True)
class LossCurve:
    """The paper's Figure 4 for one arm: ``points`` are (examples seen, training RMSE)."""

    label: str
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class Results:
    """Everything the results page shows of the appraisers of one kind; kinds are never mixed.

    ``kinds`` maps every appraiser kind to its number of judgments. ``arms`` keep the study's
    order; ``leader`` is the one chosen more often (None while undecided or without judgments).
    ``p_value`` is the exact two-sided binomial test against 50 % (None without judgments).
    ``side_balance`` is how often the left recommendation was chosen, and ``side_p_value`` the
    same test of it. ``error_table`` are the rows of ``recommender.selectors.leaderboard`` with
    the arm's ``label`` added.
    """

    study: Study
    kind: str
    kinds: dict[str, int]
    n_judgments: int
    n_appraisers: int
    n_finished: int
    n_questions: int
    n_questions_judged: int
    arms: list[ArmResult]
    p_value: float | None
    side_balance: Proportion | None
    side_p_value: float | None
    agreements: int
    profiles_tried: int
    error_table: list[dict[str, Any]]
    loss_curves: list[LossCurve] = field(default_factory=list)
    first_answered_at: datetime | None = None
    last_answered_at: datetime | None = None
    confidence: float = 0.95

    @property
    def leader(self) -> ArmResult | None:
        ranked = sorted(self.arms, key=lambda arm: arm.wins, reverse=True)
        if len(ranked) < 2 or ranked[0].wins == ranked[1].wins:
            return None
        return ranked[0]


def results(study: Study, *, kind: str) -> Results:
    """The results of the appraisers of one kind; a constant number of queries."""
    judged = Judgment.objects.filter(
        assignment__appraiser__study=study, assignment__kind=Assignment.Kind.MAIN
    )
    of_kind = judged.filter(assignment__appraiser__kind=kind)
    by_kind = judged.values_list("assignment__appraiser__kind").annotate(n=Count("pk")).order_by()
    seen = of_kind.aggregate(
        first=Min("answered_at"),
        last=Max("answered_at"),
        questions=Count("assignment__question", distinct=True),
    )
    appraisers = study.appraisers.filter(kind=kind).aggregate(
        joined=Count("pk"), finished=Count("finished_at")
    )
    tallies = _tallies(of_kind)
    total = sum(tally.count for tally in tallies)
    left = sum(tally.count for tally in tallies if tally.choice == Judgment.Choice.LEFT)
    sides = side_balance(left, total) if total else None
    arms = list(study.arms.select_related("trained_model"))
    ties = _ties(study, arms)
    arm_results = [_arm_result(arm, tallies, ties[arm.pk]) for arm in arms]
    models = [arm.trained_model for arm in arms]
    rows = {row["id"]: row for row in leaderboard(models)}
    return Results(
        study=study,
        kind=kind,
        kinds=dict.fromkeys(Appraiser.Kind.values, 0) | dict(by_kind),
        n_judgments=total,
        n_appraisers=appraisers["joined"],
        n_finished=appraisers["finished"],
        n_questions=study.questions.count(),
        n_questions_judged=seen["questions"],
        arms=arm_results,
        p_value=binomial_p(arm_results[0].wins, total) if total else None,
        side_balance=sides.share if sides else None,
        side_p_value=sides.p_value if sides else None,
        agreements=study.agreements,
        profiles_tried=study.profiles_tried,
        error_table=[{"label": arm.label} | rows[arm.trained_model_id] for arm in arms],
        loss_curves=[
            LossCurve(arm.label, [(int(seen), float(loss)) for seen, loss in curve])
            for arm in arms
            if (curve := arm.trained_model.loss_curve)
        ],
        first_answered_at=seen["first"],
        last_answered_at=seen["last"],
    )


@dataclass(frozen=True)
class _Tally:
    """Judgments that agree in all that is counted."""

    choice: str
    chosen_arm: int
    left_arm: int
    arms: tuple[int, int]
    count: int


def _tallies(judged: QuerySet[Judgment]) -> list[_Tally]:
    fields = (
        "choice",
        "chosen_arm",
        "assignment__left_arm",
        "assignment__question__first_arm",
        "assignment__question__second_arm",
    )
    rows = judged.order_by().values_list(*fields).annotate(n=Count("pk"))
    return [_Tally(choice, won, left, (one, two), n) for choice, won, left, one, two, n in rows]


def _ties(study: Study, arms: list[Arm]) -> dict[int, list[int]]:
    """For each arm and profile compared: how many movies shared the top score."""
    compared = set(study.profile_pool[: study.profiles_tried])
    rows = Recommendation.objects.filter(
        trained_model__in=[arm.trained_model_id for arm in arms], rank=1
    ).values_list("trained_model", "user", "tied")
    by_model: dict[int, list[int]] = defaultdict(list)
    for model, user, tied in rows:
        if user in compared:
            by_model[model].append(tied)
    return {arm.pk: by_model[arm.trained_model_id] for arm in arms}


def _arm_result(arm: Arm, tallies: list[_Tally], tied: list[int]) -> ArmResult:
    met = [tally for tally in tallies if arm.pk in tally.arms]
    wins = sum(tally.count for tally in met if tally.chosen_arm == arm.pk)
    judged = sum(tally.count for tally in met)
    share = proportion(wins, judged) if judged else None
    on_left = [tally for tally in met if tally.left_arm == arm.pk]
    shared = [movies for movies in tied if movies > 1]
    model = arm.trained_model
    known = SYSTEMS.get(model.system)
    return ArmResult(
        label=arm.label,
        system=model.system,
        system_label=known.label if known else model.system,
        preset=model.preset,
        wins=wins,
        judged=judged,
        rate=share.rate if share else None,
        low=share.low if share else None,
        high=share.high if share else None,
        shown_left=sum(tally.count for tally in on_left),
        chosen_left=sum(tally.count for tally in on_left if tally.chosen_arm == arm.pk),
        profiles_compared=len(tied),
        tied_share=len(shared) / len(tied) if tied else None,
        tied_median=float(median(shared)) if shared else None,
    )
