"""How often each question was given, and what is still free; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from survey.models import Appraiser, Assignment, Study
from survey.pairing import Pool, Standing
from survey.selectors.next_step import failing, waiting_for_word

Outcome = Appraiser.Outcome
#: Those who are at it or done; the questions of all others are asked of somebody else.
COUNTED = ("", Outcome.DONE)


@dataclass(frozen=True)
class Places:
    """The pool of one kind of appraisers; ``arms`` are the first and second one of a question."""

    pool: Pool
    arms: dict[int, tuple[int, int]]

    def left_arm(self, question: int, first_left: bool) -> int:
        first, second = self.arms[question]
        return first if first_left else second


def places(study: Study, kind: str, *, silent_at: datetime | None = None) -> Places:
    """Every question of the study as it stands with the appraisers of one kind;
    one query, and with ``silent_at`` some more.

    Counted are answers, and what is still being asked; not those of people who failed the checks
    or were screened out, and with ``silent_at`` not the open questions of those silent by then,
    nor anything of those whose answers, taken as final then, fail the checks.
    """
    work = Q(
        assignments__kind=Assignment.Kind.MAIN,
        assignments__appraiser__kind=kind,
        assignments__appraiser__outcome__in=COUNTED,
    )
    at_work = Q(assignments__returned_at=None)
    if silent_at is not None:
        since = silent_since(study, silent_at)
        at_work &= Q(assignments__appraiser__seen_at__gte=since) | Q(
            assignments__appraiser__seen_at=None, assignments__appraiser__consented_at__gte=since
        )
        lost = failing(silent_on_word(study, kind=kind, now=silent_at), study)
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


def places_left(study: Study, *, now: datetime | None = None) -> int:
    """How many may still join: in a pilot appraisers of that kind, otherwise real ones.

    What is still wanted of all questions, in appraisers; the last may find fewer questions.
    """
    trial = study.status == Study.Status.PILOT
    kind = Appraiser.Kind.PILOT if trial else Appraiser.Kind.REAL
    free = places(study, kind, silent_at=now or timezone.now()).pool.free
    return -(-free // study.questions_per_appraiser)


def silent_since(study: Study, now: datetime) -> datetime:
    """Whose last sign of life lies before this has been silent for too long.

    Time in which the study was paused does not count: nobody can answer then.
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


def silent(study: Study, *, kind: str, now: datetime) -> QuerySet[Appraiser]:
    """Those of one kind who hold open questions and have shown no sign of life for too long."""
    held = Assignment.objects.filter(appraiser=OuterRef("pk"), judgment=None, returned_at=None)
    unfinished = study.appraisers.filter(Exists(held), kind=kind, finished_at=None)
    return _quiet(unfinished, silent_since(study, now))


def silent_on_word(study: Study, *, kind: str, now: datetime) -> QuerySet[Appraiser]:
    """Those of one kind who answered everything, and too long ago to say still that it stays."""
    return _quiet(waiting_for_word(study).filter(kind=kind), silent_since(study, now))


def _quiet(people: QuerySet[Appraiser], since: datetime) -> QuerySet[Appraiser]:
    return people.alias(quiet=Coalesce("seen_at", "consented_at")).filter(quiet__lt=since)
