"""The results of a study for the appraisers of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import combinations
from statistics import median
from typing import Any

from django.db.models import Count, Max, Min, Q, Sum

from recommender.core.systems import SYSTEMS
from recommender.selectors import ERRORS, leaderboard
from survey.models import Appraiser, Arm, Judgment, Study
from survey.selectors.counts import (
    FAILED,
    CountRow,
    JudgmentCount,
    NamedItems,
    confidence_counts,
    count_judgments,
    familiarity_counts,
    main_judgments,
    named_items,
    repeat_consistency,
)
from survey.stats.intervals import Proportion, proportion
from survey.stats.multiple_testing import holm
from survey.stats.preference import binomial_p, side_balance


@dataclass(frozen=True)
class ArmResult:
    """How one arm fared, over the questions in which it took part.

    ``rate`` is ``wins / judged`` with its exact 95 % interval ``low`` to ``high`` (None without
    judgments; assumes independent judgments). ``judged`` leaves third answers out; ``ties`` is
    their number, whatever their wording, and ``rate_with_ties`` counts half of them as wins.
    ``rate_with_failed`` is the rate with the answers of people who failed the checks.
    ``shown_left`` counts the judged questions in which the arm stood left, ``chosen_left`` those
    of them in which it was chosen. ``movies_named`` different movies were named for the
    ``profiles_compared``. ``tied_share`` is the share of these in which several movies shared the
    arm's top score, and ``tied_median`` the median number of movies that did, among those
    profiles (both None without, and for an uploaded list).
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
    ties: int = 0
    rate_with_failed: float | None = None
    movies_named: int = 0

    @property
    def shown_right(self) -> int:
        return self.judged - self.shown_left

    @property
    def chosen_right(self) -> int:
        return self.wins - self.chosen_left

    @property
    def rate_with_ties(self) -> float | None:
        asked = self.judged + self.ties
        return (self.wins + self.ties / 2) / asked if asked else None


@dataclass(frozen=True)
class PairResult:
    """Two arms against each other: how often ``first`` was chosen over ``second``.

    ``share`` and the exact ``p_value`` against 50 % are None without judgments; ``p_corrected`` is
    the p-value that holds for all pairs of the study together (Holm). ``ties`` are third answers.
    Both arms named the same movie on ``agreements`` of the ``profiles`` tried.
    """

    first: str
    second: str
    share: Proportion | None
    ties: int
    p_value: float | None
    agreements: int
    profiles: int
    p_corrected: float | None = None


@dataclass(frozen=True)
class ArmLossCurve:
    """The paper's Figure 4 for one arm: ``points`` are (examples seen, training RMSE)."""

    label: str
    points: list[tuple[int, float]]


@dataclass(frozen=True)
class StudyResults:
    """Everything the results page shows of the appraisers of one kind; kinds are never mixed.

    Answers to practice questions, checks and repeats are in no figure but ``repeats``. The
    ``n_failed`` people who failed the checks, with their ``n_failed_judgments``, are in none but
    the arms' ``rate_with_failed``.

    ``kinds`` maps every appraiser kind to its number of judgments. ``n_judgments`` holds
    ``n_ties`` third answers. ``arms`` keep the study's order; ``leader`` is the one of two chosen
    more often (None while undecided or without judgments). ``p_value`` is the exact two-sided
    binomial test of two arms against 50 % (None without judgments). ``side_balance`` is how often
    the left recommendation was chosen, and ``side_p_value`` the same test of it. ``error_table``
    are the rows of ``recommender.selectors.leaderboard`` with the arm's ``label`` added.
    ``repeats`` is the share of repeated questions with the same answer again. ``familiarity`` and
    ``sureness`` are empty where they are not asked. ``n_withdrawn`` people had
    ``n_erased`` answers erased.
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
    loss_curves: list[ArmLossCurve] = field(default_factory=list)
    first_answered_at: datetime | None = None
    last_answered_at: datetime | None = None
    confidence: float = 0.95
    pairs: list[PairResult] = field(default_factory=list)
    n_ties: int = 0
    n_failed: int = 0
    n_failed_judgments: int = 0
    n_screened: int = 0
    n_withdrawn: int = 0
    n_erased: int = 0
    repeats: Proportion | None = None
    familiarity: list[CountRow] = field(default_factory=list)
    sureness: list[CountRow] = field(default_factory=list)

    @property
    def leader(self) -> ArmResult | None:
        ranked = sorted(self.arms, key=lambda arm: arm.wins, reverse=True)
        if len(ranked) != 2 or ranked[0].wins == ranked[1].wins:
            return None
        return ranked[0]

    @property
    def n_decided(self) -> int:
        return self.n_judgments - self.n_ties


def study_results(study: Study, *, kind: str) -> StudyResults:
    """The results of the appraisers of one kind; a constant number of queries."""
    judged = main_judgments(study)
    of_kind = judged.filter(assignment__appraiser__kind=kind)
    by_kind = judged.exclude(FAILED).values_list("assignment__appraiser__kind")
    seen = of_kind.exclude(FAILED).aggregate(
        first=Min("answered_at"),
        last=Max("answered_at"),
        questions=Count("assignment__question", distinct=True),
    )
    counted, failed = count_judgments(of_kind)
    total, ties = _count(counted), _count(tally for tally in counted if not tally.decided)
    left = _count(tally for tally in counted if tally.choice == Judgment.Choice.LEFT)
    sides = side_balance(left, total - ties) if total > ties else None
    arms = list(study.arms.select_related("trained_model"))
    named = named_items(study, arms)
    pairs = _corrected([_pair(one, two, counted, named) for one, two in combinations(arms, 2)])
    return StudyResults(
        study=study,
        kind=kind,
        kinds=dict.fromkeys(Appraiser.Kind.values, 0)
        | dict(by_kind.annotate(n=Count("pk")).order_by()),
        n_judgments=total,
        n_ties=ties,
        n_questions=study.questions.count(),
        n_questions_judged=seen["questions"],
        arms=[_arm(arm, counted, failed, named[arm.pk]) for arm in arms],
        pairs=pairs,
        p_value=pairs[0].p_value if len(pairs) == 1 else None,
        side_balance=sides.share if sides else None,
        side_p_value=sides.p_value if sides else None,
        agreements=study.agreements,
        profiles_tried=study.profiles_tried,
        error_table=_errors(arms),
        loss_curves=_curves(arms),
        first_answered_at=seen["first"],
        last_answered_at=seen["last"],
        n_failed_judgments=_count(failed),
        repeats=repeat_consistency(study, kind) if study.n_repeats else None,
        familiarity=familiarity_counts(of_kind, arms) if study.ask_familiarity else [],
        sureness=confidence_counts(of_kind) if study.ask_confidence else [],
        **_people(study, kind),
    )


def _people(study: Study, kind: str) -> dict[str, int]:
    ends = {
        name: Count("pk", filter=Q(outcome=outcome))
        for name, outcome in (
            ("n_finished", Appraiser.Outcome.DONE),
            ("n_failed", Appraiser.Outcome.FAILED),
            ("n_screened", Appraiser.Outcome.SCREENED),
        )
    }
    found = study.appraisers.filter(kind=kind).aggregate(n_appraisers=Count("pk"), **ends)
    gone = study.withdrawals.filter(kind=kind).aggregate(
        n_withdrawn=Count("pk"), n_erased=Sum("n_judgments", default=0)
    )
    return found | gone


def _count(found: Iterable[JudgmentCount]) -> int:
    return sum(tally.count for tally in found)


def _share(arm: int, found: Iterable[JudgmentCount]) -> Proportion | None:
    """How often an arm was chosen where one of its movies or the other one was."""
    decided = [tally for tally in found if arm in tally.arms and tally.decided]
    total = _count(decided)
    wins = _count(tally for tally in decided if tally.chosen_arm == arm)
    return proportion(wins, total) if total else None


def _arm(
    arm: Arm, counted: list[JudgmentCount], failed: list[JudgmentCount], named: NamedItems
) -> ArmResult:
    share = _share(arm.pk, counted)
    whole = _share(arm.pk, [*counted, *failed])
    met = [tally for tally in counted if arm.pk in tally.arms]
    on_left = [tally for tally in met if tally.decided and tally.left_arm == arm.pk]
    shared = [movies for movies in named.tied if movies > 1]
    model = arm.trained_model
    known = SYSTEMS.get(model.system) if model else None
    system = model.system if model else arm.upload_name
    return ArmResult(
        label=arm.label,
        system=system,
        system_label=known.label if known else system,
        preset=model.preset if model else "",
        wins=share.count if share else 0,
        judged=share.total if share else 0,
        ties=_count(tally for tally in met if not tally.decided),
        rate=share.rate if share else None,
        low=share.low if share else None,
        high=share.high if share else None,
        rate_with_failed=whole.rate if whole else None,
        shown_left=_count(on_left),
        chosen_left=_count(tally for tally in on_left if tally.chosen_arm == arm.pk),
        profiles_compared=len(named.movies),
        movies_named=named.different,
        tied_share=len(shared) / len(named.tied) if named.tied else None,
        tied_median=float(median(shared)) if shared else None,
    )


def _pair(
    one: Arm, two: Arm, counted: list[JudgmentCount], named: dict[int, NamedItems]
) -> PairResult:
    met = [tally for tally in counted if set(tally.arms) == {one.pk, two.pk}]
    share = _share(one.pk, met)
    agreements, profiles = named[one.pk].agreed(named[two.pk])
    return PairResult(
        first=one.label,
        second=two.label,
        share=share,
        ties=_count(tally for tally in met if not tally.decided),
        p_value=binomial_p(share.count, share.total) if share else None,
        agreements=agreements,
        profiles=profiles,
    )


def _corrected(pairs: list[PairResult]) -> list[PairResult]:
    """With the p-values for all pairs together, of which those without judgments are some too."""
    tested = [pair.p_value for pair in pairs if pair.p_value is not None]
    corrected = iter(holm(tested, family=len(pairs)))
    return [
        pair if pair.p_value is None else replace(pair, p_corrected=next(corrected))
        for pair in pairs
    ]


def _errors(arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """A row for each arm; of an uploaded list no errors are known."""
    known = {
        row["id"]: row for row in leaderboard([arm.model for arm in arms if arm.trained_model])
    }
    blank = dict.fromkeys((*ERRORS, "seconds", "peak_memory_mb"))
    blank |= {"id": None, "preset": "", "split": "uploaded", "status": "uploaded"}
    rows = []
    for arm in arms:
        facts = known[arm.trained_model_id] if arm.trained_model_id else blank
        rows.append({"label": arm.label, "system": arm.upload_name} | facts)
    return rows


def _curves(arms: Sequence[Arm]) -> list[ArmLossCurve]:
    return [
        ArmLossCurve(arm.label, [(int(seen), float(loss)) for seen, loss in curve])
        for arm in arms
        if arm.trained_model and (curve := arm.trained_model.loss_curve)
    ]
