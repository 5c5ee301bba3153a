"""Draws the assignments of a new appraiser, and returns those of idle ones to the pool."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from numpy.random import Generator

from survey import pairing
from survey.errors import StudyFull
from survey.models import Appraiser, Assignment, Study
from survey.pairing import Asked, Stream
from survey.selectors.capacity import idle, idle_unconfirmed, places
from survey.services.outcomes import confirm_unconfirmed

Kind = Assignment.Kind
SIDES = ("left", "right")
#: Part of the seed of each kind's draws; these numbers never change.
KIND_STREAMS = {Appraiser.Kind.REAL: 0, Appraiser.Kind.PILOT: 1, Appraiser.Kind.SIMULATED: 2}


def assign(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """Draw and store the questions and sides of a new appraiser.

    The caller holds the study's lock, so that others who join at this moment count these
    assignments. Raises StudyFull where no question has room.
    """
    study = appraiser.study
    settle_idle(study=study, kind=appraiser.kind, now=now or timezone.now())
    found = places(study, appraiser.kind)
    rng = generator_of(appraiser, Stream.APPRAISER)
    chosen = found.pool.choose(study.questions_per_appraiser, rng)
    if not chosen:
        raise StudyFull("Every place of this study is taken.")
    standings = found.pool.standings
    main = pairing.choose_sides([standings[key] for key in chosen], rng)
    others = pairing.choose_others(
        {key: standing.profile for key, standing in standings.items()},
        study.n_practice + study.n_checks,
        rng,
        without={standings[key].profile for key in chosen},
    )
    rows = _in_order(study, main, others, rng)
    Assignment.objects.bulk_create(
        Assignment(
            appraiser=appraiser,
            position=position,
            kind=kind,
            question_id=asked.question,
            left_arm_id=found.left_arm(asked.question, asked.first_left),
            expected=expected,
        )
        for position, (kind, asked, expected) in enumerate(rows, start=1)
    )


def settle_idle(*, study: Study, kind: str, now: datetime) -> None:
    """Return the unanswered assignments of idle appraisers to the pool, and confirm for the rest.

    Idle appraisers who answered everything but never confirmed count as confirmed, and get their
    outcome. The caller holds the study's lock.
    """
    # An appraiser who is answering at this moment holds their own row's lock, and is skipped.
    gone = _lock_free(idle(study, kind=kind, now=now))
    if gone:
        held = Assignment.objects.filter(appraiser__in=gone, judgment=None, returned_at=None)
        held.update(returned_at=now)
    if study.changes != "never":
        over = _lock_free(idle_unconfirmed(study, kind=kind, now=now))
        confirm_unconfirmed(study=study, people=over, now=now)


def _lock_free(people: QuerySet[Appraiser]) -> list[int]:
    free = people.select_for_update(no_key=True, of=("self",), skip_locked=True)
    return list(free.values_list("pk", flat=True))


def generator_of(appraiser: Appraiser, stream: Stream, *which: int) -> Generator:
    kind = KIND_STREAMS[Appraiser.Kind(appraiser.kind)]
    return pairing.generator(appraiser.study.seed, stream, kind, appraiser.number, *which)


def _in_order(
    study: Study, main: list[Asked], others: list[Asked], rng: Generator
) -> Iterator[tuple[str, Asked, str]]:
    """Kind, question and expected side of each assignment, practice first."""
    for asked in others[: study.n_practice]:
        yield Kind.PRACTICE, asked, ""
    checks = others[study.n_practice :]
    repeats = min(study.n_repeats, len(main))
    for turn in pairing.order_turns(len(main), len(checks), repeats, rng):
        if turn.kind == Kind.CHECK:
            yield Kind.CHECK, checks[turn.which], SIDES[int(rng.integers(2))]
        elif turn.kind == Kind.REPEAT:
            yield Kind.REPEAT, main[turn.which].swapped(), ""
        else:
            yield Kind.MAIN, main[turn.which], ""
