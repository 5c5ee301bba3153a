"""Judgments of one kind of appraiser, counted: what the results are made of.

Only main questions count. Practice, checks and repeats never enter, and the answers of people who
failed the checks are kept apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from recommender.models import Recommendation
from survey.models import Appraiser, Arm, Assignment, Judgment, Study
from survey.selectors.drawing import first_uploaded
from survey.stats.intervals import Proportion, proportion

FAILED = Q(assignment__appraiser__outcome=Appraiser.Outcome.FAILED)
#: Each familiarity as researchers read it.
FAMILIARITY = {
    Judgment.Familiarity.SEEN: "seen it",
    Judgment.Familiarity.KNOWN: "knows of it",
    Judgment.Familiarity.LOOKED_UP: "looked it up",
    Judgment.Familiarity.UNKNOWN: "never heard of it",
    "": "not said",
}


@dataclass(frozen=True)
class JudgmentCount:
    """Judgments that agree in all that is counted; ``chosen_arm`` is None for a third answer."""

    choice: str
    chosen_arm: int | None
    left_arm: int
    arms: tuple[int, int]
    count: int

    @property
    def decided(self) -> bool:
        return self.chosen_arm is not None


@dataclass(frozen=True)
class NamedItems:
    """What an arm named for the profiles tried: user -> (movie, how many share the top score).

    The number is None where nobody knows it: of an uploaded list.
    """

    movies: Mapping[int, tuple[int, int | None]]

    @property
    def different(self) -> int:
        return len({movie for movie, _ in self.movies.values()})

    @property
    def tied(self) -> list[int]:
        return [tied for _, tied in self.movies.values() if tied is not None]

    def agreed(self, other: NamedItems) -> tuple[int, int]:
        """On how many profiles both named the same movie, of how many that both named one for."""
        both = self.movies.keys() & other.movies.keys()
        same = sum(self.movies[user][0] == other.movies[user][0] for user in both)
        return same, len(both)


@dataclass(frozen=True)
class CountRow:
    """One line of a table of counts; ``counts`` are in the order of the study's arms, or one."""

    words: str
    counts: list[int]


def main_judgments(study: Study | OuterRef) -> QuerySet[Judgment]:
    """Of all kinds of appraisers, those who failed the checks included."""
    return Judgment.objects.filter(
        assignment__appraiser__study=study, assignment__kind=Assignment.Kind.MAIN
    )


def count_judgments(judged: QuerySet[Judgment]) -> tuple[list[JudgmentCount], list[JudgmentCount]]:
    """Those that count, and those of people who failed the checks."""
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
    rows = judged.order_by().values_list(*fields).annotate(n=Count("pk"))
    for outcome, choice, won, left, one, two, n in rows:
        part = failed if outcome == Appraiser.Outcome.FAILED else counted
        part.append(JudgmentCount(choice, won, left, (one, two), n))
    return counted, failed


def named_items(study: Study, arms: Sequence[Arm]) -> dict[int, NamedItems]:
    """What each arm (by primary key) named for the profiles that were tried."""
    tried = study.profile_pool[: study.profiles_tried]
    compared = set(tried)
    trained = [arm.trained_model_id for arm in arms if arm.trained_model_id]
    rows = Recommendation.objects.filter(trained_model__in=trained, rank=1)
    by_model: dict[int, dict[int, tuple[int, int | None]]] = defaultdict(dict)
    for model, user, movie, tied in rows.values_list("trained_model", "user", "item", "tied"):
        if user in compared:
            by_model[model][user] = (movie, tied)
    return {
        arm.pk: NamedItems(
            by_model[arm.trained_model_id]
            if arm.trained_model_id
            else {user: (row.item_id, None) for user, row in first_uploaded(arm, tried).items()}
        )
        for arm in arms
    }


def repeat_consistency(study: Study, kind: str) -> Proportion | None:
    """How many of the repeated questions got the same answer again; None without any.

    The same movie, or again none of the two. Of people who failed the checks none is counted.
    """
    before = Judgment.objects.filter(
        assignment__appraiser=OuterRef("assignment__appraiser"),
        assignment__question=OuterRef("assignment__question"),
        assignment__kind=Assignment.Kind.MAIN,
    )
    rows = (
        Judgment.objects.filter(
            assignment__appraiser__study=study,
            assignment__appraiser__kind=kind,
            assignment__kind=Assignment.Kind.REPEAT,
        )
        .exclude(FAILED)
        .annotate(
            first_choice=Subquery(before.values("choice")[:1]),
            first_arm=Subquery(before.values("chosen_arm")[:1]),
        )
        .exclude(first_choice=None)
    )
    # A third answer names no arm, and to a database two of them are not equal.
    same = Q(chosen_arm=F("first_arm")) | Q(chosen_arm=None, first_arm=None)
    found = rows.aggregate(total=Count("pk"), same=Count("pk", filter=same))
    return proportion(found["same"], found["total"]) if found["total"] else None


def familiarity_counts(judged: QuerySet[Judgment], arms: Sequence[Arm]) -> list[CountRow]:
    """How well appraisers knew each arm's movies: a row for each answer, a count for each arm."""
    fields = (
        "left_familiarity",
        "right_familiarity",
        "assignment__left_arm",
        "assignment__question__first_arm",
        "assignment__question__second_arm",
    )
    rows = judged.exclude(FAILED).order_by().values_list(*fields).annotate(n=Count("pk"))
    found: Counter[tuple[str, int]] = Counter()
    for on_left, on_right, left, one, two, n in rows:
        found[on_left, left] += n
        found[on_right, two if left == one else one] += n
    return _rows(FAMILIARITY, lambda level: [found[level, arm.pk] for arm in arms])


def confidence_counts(judged: QuerySet[Judgment]) -> list[CountRow]:
    """How sure the choices were, from 1 to 5."""
    rows = judged.exclude(FAILED).order_by().values_list("confidence").annotate(n=Count("pk"))
    found = dict(rows)
    words: dict[Any, str] = {level: str(level) for level in range(1, 6)} | {None: "not said"}
    words |= {1: "1, a guess", 5: "5, very sure"}
    return _rows(words, lambda level: [found.get(level, 0)])


def _rows(words: Mapping[Any, str], counts: Any) -> list[CountRow]:
    """A row for each answer; without the last, what was not said, where all was."""
    rows = [CountRow(text, counts(level)) for level, text in words.items()]
    return rows if any(rows[-1].counts) else rows[:-1]
