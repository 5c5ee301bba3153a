"""Counts of judgments by appraisers of one kind, on which the results are based.

Only main questions count. Judgments of appraisers who failed the checks are kept apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet

from recommender.models import Recommendation
from survey.models import Appraiser, Arm, Assignment, Judgment, Study
from survey.selectors.drawing import first_uploaded
from survey.stats.intervals import Proportion, proportion

FAILED = Q(assignment__appraiser__outcome=Appraiser.Outcome.FAILED)
FAMILIARITY_LABELS = {
    Judgment.Familiarity.SEEN: "seen it",
    Judgment.Familiarity.KNOWN: "knows of it",
    Judgment.Familiarity.LOOKED_UP: "looked it up",
    Judgment.Familiarity.UNKNOWN: "never heard of it",
    "": "not said",
}
CONFIDENCE_LABELS = {
    1: "1, a guess",
    2: "2",
    3: "3",
    4: "4",
    5: "5, very sure",
    None: "not said",
}


@dataclass(frozen=True)
class JudgmentCount:
    """``count`` judgments with the same values; ``chosen_arm`` is None for a third answer."""

    choice: str
    chosen_arm: int | None
    left_arm: int
    arms: tuple[int, int]
    count: int

    @property
    def is_decided(self) -> bool:
        return self.chosen_arm is not None


@dataclass(frozen=True)
class NamedItems:
    """What an arm recommended on the profiles tried: user -> (item, items sharing the top score).

    The number of tied items is None for an uploaded list, where it is unknown.
    """

    items: Mapping[int, tuple[int, int | None]]

    @property
    def n_different(self) -> int:
        return len({item for item, _ in self.items.values()})

    @property
    def tied_share(self) -> float | None:
        """The share of profiles on which several items tied; None if unknown."""
        known = self._tied()
        return len([n for n in known if n > 1]) / len(known) if known else None

    @property
    def tied_median(self) -> float | None:
        """The median number of tied items on profiles with a tie; None without any."""
        tied = [n for n in self._tied() if n > 1]
        return float(median(tied)) if tied else None

    def agreements(self, other: NamedItems) -> tuple[int, int]:
        """On how many profiles both recommended the same item, and on how many both did at all."""
        both = self.items.keys() & other.items.keys()
        return sum(self.items[user][0] == other.items[user][0] for user in both), len(both)

    def _tied(self) -> list[int]:
        return [tied for _, tied in self.items.values() if tied is not None]


def main_judgments(study: Study | OuterRef) -> QuerySet[Judgment]:
    """Judgments of every kind of appraiser, including those who failed the checks."""
    return Judgment.objects.filter(
        assignment__appraiser__study=study, assignment__kind=Assignment.Kind.MAIN
    )


def count_judgments(judged: QuerySet[Judgment]) -> tuple[list[JudgmentCount], list[JudgmentCount]]:
    """The judgments that count, and those of appraisers who failed the checks."""
    fields = (
        "assignment__appraiser__outcome",
        "choice",
        "chosen_arm",
        "assignment__left_arm",
        "assignment__question__first_arm",
        "assignment__question__second_arm",
    )
    counted: list[JudgmentCount] = []
    failed: list[JudgmentCount] = []
    for outcome, choice, chosen, left, first, second, n in _grouped(judged, *fields):
        part = failed if outcome == Appraiser.Outcome.FAILED else counted
        part.append(JudgmentCount(choice, chosen, left, (first, second), n))
    return counted, failed


def total(counts: Iterable[JudgmentCount]) -> int:
    return sum(each.count for each in counts)


def share_of_arm(arm: int, counts: Iterable[JudgmentCount]) -> Proportion | None:
    """How often an arm was chosen in its decided judgments; None without any."""
    decided = [each for each in counts if arm in each.arms and each.is_decided]
    judged = total(decided)
    return proportion(total(e for e in decided if e.chosen_arm == arm), judged) if judged else None


def named_items(study: Study, arms: Sequence[Arm]) -> dict[int, NamedItems]:
    """What each arm (by primary key) recommended on the profiles that were tried."""
    tried = study.profile_pool[: study.profiles_tried]
    compared = set(tried)
    trained = [arm.trained_model_id for arm in arms if arm.trained_model_id]
    rows = Recommendation.objects.filter(trained_model__in=trained, rank=1)
    by_model: dict[int, dict[int, tuple[int, int | None]]] = defaultdict(dict)
    for model, user, item, tied in rows.values_list("trained_model", "user", "item", "tied"):
        if user in compared:
            by_model[model][user] = (item, tied)
    return {
        arm.pk: NamedItems(
            by_model[arm.trained_model_id]
            if arm.trained_model_id
            else {user: (row.item_id, None) for user, row in first_uploaded(arm, tried).items()}
        )
        for arm in arms
    }


def familiarity_counts(judged: QuerySet[Judgment], arms: Sequence[Arm]) -> dict[str, list[int]]:
    """How well appraisers knew each arm's items: for each answer a count for each arm."""
    fields = (
        "left_familiarity",
        "right_familiarity",
        "assignment__left_arm",
        "assignment__question__first_arm",
        "assignment__question__second_arm",
    )
    found: Counter[tuple[str, int]] = Counter()
    for on_left, on_right, left, first, second, n in _grouped(judged.exclude(FAILED), *fields):
        found[on_left, left] += n
        found[on_right, second if left == first else first] += n
    return _by_label(FAMILIARITY_LABELS, lambda level: [found[level, arm.pk] for arm in arms])


def confidence_counts(judged: QuerySet[Judgment]) -> dict[str, list[int]]:
    """How confident the appraisers were in their choices, from 1 to 5."""
    found = dict(_grouped(judged.exclude(FAILED), "confidence"))
    return _by_label(CONFIDENCE_LABELS, lambda level: [found.get(level, 0)])


def _grouped(judged: QuerySet[Judgment], *fields: str) -> QuerySet[Judgment, Any]:
    return judged.order_by().values_list(*fields).annotate(n=Count("pk"))


def _by_label(
    labels: Mapping[Any, str], counts: Callable[[Any], list[int]]
) -> dict[str, list[int]]:
    """The counts of each answer; the last one, for answers not given, only if there are any."""
    found = {label: counts(level) for level, label in labels.items()}
    return {label: row for label, row in found.items() if any(row) or label != "not said"}
