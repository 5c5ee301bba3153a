"""Counts how often each question was given and how many places are free; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from survey.models import Appraiser, Assignment, Study
from survey.pairing import Pool, Standing
from survey.selectors.next_step import failing_checks, unconfirmed

Outcome = Appraiser.Outcome
#: Unfinished or completed; the questions of appraisers with another outcome are asked again.
COUNTED = ("", Outcome.DONE)


@dataclass(frozen=True)
class Places:
    """The pool of one kind of appraisers; ``arms`` maps a question to its first and second arm."""

    pool: Pool
    arms: dict[int, tuple[int, int]]

    def left_arm(self, question: int, first_left: bool) -> int:
        first, second = self.arms[question]
        return first if first_left else second


def places(study: Study, kind: str, *, idle_at: datetime | None = None) -> Places:
    """Every question of the study, with how often appraisers of one kind were given it.

    Answers and open assignments count, except those of appraisers who failed the checks or were
    screened out. With ``idle_at``, neither the open assignments of appraisers idle by then count,
    nor anything of those whose unconfirmed answers would fail the checks. One query, and a few
    more with ``idle_at``.
    """
    work = Q(
        assignments__kind=Assignment.Kind.MAIN,
        assignments__appraiser__kind=kind,
        assignments__appraiser__outcome__in=COUNTED,
    )
    at_work = Q(assignments__returned_at=None)
    if idle_at is not None:
        since = idle_since(study, idle_at)
        at_work &= Q(assignments__appraiser__seen_at__gte=since) | Q(
            assignments__appraiser__seen_at=None, assignments__appraiser__consented_at__gte=since
        )
        lost = failing_checks(idle_unconfirmed(study, kind=kind, now=idle_at), study)
        if study.checks_to_pass and (gone := list(lost.values_list("pk", flat=True))):
            work &= ~Q(assignments__appraiser__in=gone)
    counted = work & (Q(assignments__judgment__isnull=False) | at_work)
    first_left = counted & Q(assignments__left_arm=F("first_arm"))
    rows = (
        study.questions.order_by("pk")
        .values_list("pk", "user", "first_arm", "second_arm")
        .annotate(
            given=Count("assignments", filter=counted),
            first_left=Count("assignments", filter=first_left),
        )
    )
    standings, arms = [], {}
    for pk, user, first, second, given, lefts in rows:
        standings.append(Standing(pk, profile=user, given=given, first_left=lefts))
        arms[pk] = (first, second)
    capacity = None if kind == Appraiser.Kind.SIMULATED else study.judgments_wanted
    return Places(Pool(standings, capacity=capacity), arms)


def kind_joining(study: Study) -> Appraiser.Kind:
    """The kind of people who join now or later: pilot appraisers in a pilot, else real ones."""
    return Appraiser.Kind.PILOT if study.is_open_for("pilot") else Appraiser.Kind.REAL


def places_left(study: Study, *, now: datetime | None = None) -> int:
    """How many appraisers may still join.

    The judgments still wanted of all questions, divided by the questions of one appraiser and
    rounded up: the last one may get fewer questions.
    """
    free = places(study, kind_joining(study), idle_at=now or timezone.now()).pool.free
    return -(-free // study.questions_per_appraiser)


def wait_for_place(study: Study) -> timedelta | None:
    """How long until a place of a full study may become free; None if all its answers are in.

    Then the people who hold the last questions have answered, or their questions have returned.
    """
    held = Assignment.objects.filter(
        appraiser__study=study,
        appraiser__kind=kind_joining(study),
        appraiser__outcome="",
        kind=Assignment.Kind.MAIN,
        judgment=None,
        returned_at=None,
    )
    return timedelta(minutes=study.return_after) if held.exists() else None


def idle_since(study: Study, now: datetime) -> datetime:
    """Appraisers last seen before this moment are idle for too long.

    Time in which the study was paused does not count, since appraisers cannot answer then.
    """
    left, end = timedelta(minutes=study.return_after), now
    steps = study.events.filter(at__lte=now).order_by("-pk")
    for at, start, to in steps.values_list("at", "from_status", "to_status"):
        if start == Study.Status.PAUSED:
            if end - at >= left:
                break
            left -= end - at
        if to == Study.Status.PAUSED:
            end = at
    return end - left


def idle(study: Study, *, kind: str, now: datetime) -> QuerySet[Appraiser]:
    """Appraisers of one kind who have open assignments and were idle for too long."""
    held = Assignment.objects.filter(appraiser=OuterRef("pk"), judgment=None, returned_at=None)
    unfinished = study.appraisers.filter(Exists(held), kind=kind, finished_at=None)
    return _seen_before(unfinished, idle_since(study, now))


def idle_unconfirmed(study: Study, *, kind: str, now: datetime) -> QuerySet[Appraiser]:
    """Appraisers of one kind who answered everything but never confirmed, idle for too long."""
    return _seen_before(unconfirmed(study).filter(kind=kind), idle_since(study, now))


def _seen_before(people: QuerySet[Appraiser], since: datetime) -> QuerySet[Appraiser]:
    return people.alias(last_seen=Coalesce("seen_at", "consented_at")).filter(last_seen__lt=since)
