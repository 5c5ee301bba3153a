"""What a new appraiser is asked: drawn from the study's pool by its seed, and stored."""

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
from survey.selectors.capacity import places, silent, silent_on_word
from survey.services.outcomes import take_as_final

Kind = Assignment.Kind
SIDES = ("left", "right")
#: The seed of each kind's draws; a number that was given never changes.
KIND_STREAMS = {Appraiser.Kind.REAL: 0, Appraiser.Kind.PILOT: 1, Appraiser.Kind.SIMULATED: 2}


def assign(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """Questions and sides for a new appraiser. StudyFull where no question is wanted once more.

    The caller holds the study's lock: who joins at the same moment must see these counted.
    """
    study = appraiser.study
    settle_silent(study=study, kind=appraiser.kind, now=now or timezone.now())
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


def settle_silent(*, study: Study, kind: str, now: datetime) -> None:
    """Decide about people who have been silent for too long.

    What they did not answer goes back to the pool; who answered everything, and only never said
    that it is final, is taken at that, and judged by the checks. The caller holds the study's lock.
    """
    # Whoever answers at this moment holds the lock on his own row: he is not silent, and passed.
    gone = _locked(silent(study, kind=kind, now=now))
    if gone:
        held = Assignment.objects.filter(appraiser__in=gone, judgment=None, returned_at=None)
        held.update(returned_at=now)
    if study.changes != "never":
        over = _locked(silent_on_word(study, kind=kind, now=now))
        take_as_final(study=study, people=over, now=now)


def _locked(people: QuerySet[Appraiser]) -> list[int]:
    free = people.select_for_update(no_key=True, of=("self",), skip_locked=True)
    return list(free.values_list("pk", flat=True))


def generator_of(appraiser: Appraiser, stream: Stream, *which: int) -> Generator:
    kind = KIND_STREAMS[Appraiser.Kind(appraiser.kind)]
    return pairing.generator(appraiser.study.seed, stream, kind, appraiser.number, *which)


def _in_order(
    study: Study, main: list[Asked], others: list[Asked], rng: Generator
) -> Iterator[tuple[str, Asked, str]]:
    """Kind, question and expected side of everything that is asked, practice first."""
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
