"""Gives returned assignments back to their appraiser, as far as they are still wanted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from survey import pairing
from survey.models import Appraiser, Assignment, Study
from survey.pairing import Asked, Stream
from survey.selectors.capacity import Places, places
from survey.selectors.next_step import answered, own_assignments
from survey.services.assigning import generator_of, settle_idle
from survey.services.outcomes import decide_outcome

Kind = Assignment.Kind


def reclaim_assignments(
    *, appraiser: Appraiser, answering: str | UUID = "", now: datetime | None = None
) -> bool:
    """Reclaim the returned assignments of an appraiser who comes back.

    Each is asked again if its question still has room; otherwise another question takes its
    place, with the same sides; otherwise it is deleted. Appraisers who have answered all that is
    left then are finished. Those who have answered nothing, and for whom nothing is left, keep
    their returned assignments: a place may become free.

    ``answering`` is the key of the assignment whose answer is on its way: it is served first.
    Returns False if its question is no longer wanted, so that the answer cannot count.
    """
    if not appraiser.assignments.exclude(returned_at=None).exists():
        return True
    with transaction.atomic():
        # The study before the appraiser, like every transaction that locks both.
        study = Study.objects.select_for_update(no_key=True).get(pk=appraiser.study_id)
        # Only this row: the default order of appraisers would join the study and lock it too.
        own = Appraiser.objects.select_for_update(no_key=True, of=("self",))
        locked = own.filter(pk=appraiser.pk).first()
        if locked is None or locked.finished_at or not study.is_open_for(locked.kind):
            return True
        locked.study = study
        is_wanted = _reclaim(locked, str(answering), now or timezone.now())
    appraiser.finished_at, appraiser.outcome = locked.finished_at, locked.outcome
    return is_wanted


def _reclaim(appraiser: Appraiser, answering: str, now: datetime) -> bool:
    settle_idle(study=appraiser.study, kind=appraiser.kind, now=now)
    found = places(appraiser.study, appraiser.kind)
    rows = own_assignments(appraiser)
    given = answered(rows)
    returned = [row for row in rows if row.returned_at is not None and row not in given]
    judged = [row for row in given if row.kind == Kind.MAIN]
    late = next((row for row in returned if str(row.key) == answering), None)
    # The question that is being answered comes first; the sort keeps the order of the others.
    main = sorted((row for row in returned if row.kind == Kind.MAIN), key=lambda row: row != late)
    # Returned main questions may be replaced, and a repeat follows its question.
    fixed = [row for row in rows if row not in returned or row.kind in {Kind.PRACTICE, Kind.CHECK}]
    drawn = pairing.resume(
        found.pool,
        [_asked(row, found) for row in main],
        generator_of(appraiser, Stream.RETURN, len(judged)),
        answered=[_asked(row, found).first_left for row in judged],
        without={found.pool.standings[row.question_id].profile for row in fixed},
    )
    if any(drawn) or judged:
        _replace(rows, returned, dict(zip((row.pk for row in main), drawn, strict=True)), found)
        decide_outcome(appraiser=appraiser, now=now)
    # A new key means other cards than those on the screen.
    return late is None or (late.returned_at is None and str(late.key) == answering)


def _replace(
    rows: Sequence[Assignment],
    returned: Sequence[Assignment],
    drawn: dict[int, Asked | None],
    found: Places,
) -> None:
    """Ask the returned assignments again: main questions as ``drawn``, by primary key.

    Practice and checks stay as they are. A repeat follows its main question, with the sides
    swapped; it is deleted with it, and where no question is left between the two.

    Example: the positions 1 to 5 are main A (answered), main B, repeat of A, main C, repeat of B.
    All but A were returned. If B is full and ``drawn`` puts D in its place, the appraiser is asked
    D, repeat of A, C, repeat of D. If nothing takes B's place, B and its repeat are deleted, and
    so is the repeat of A, which would follow A directly; only C is left.
    """
    asked = {row.pk: _asked(row, found) for row in rows} | drawn
    originals = {row.question_id: row for row in rows if row.kind == Kind.MAIN}
    previous: Assignment | None = None
    for row in rows:
        if row.kind == Kind.REPEAT and row in returned:
            original = originals[row.question_id]
            again = asked[original.pk]
            asked[row.pk] = again.swapped() if again and original != previous else None
        if asked[row.pk]:
            previous = row
    kept = [row for row in returned if asked[row.pk]]
    for row in kept:
        _ask(row, asked[row.pk], found)
    Assignment.objects.filter(pk__in=[row.pk for row in returned if row not in kept]).delete()
    Assignment.objects.bulk_update(kept, ["question", "left_arm", "key", "shown_at", "returned_at"])


def _ask(row: Assignment, asked: Asked | None, found: Places) -> None:
    """Other cards get a new key, so that no answer on its way lands on them."""
    if asked and asked != _asked(row, found):
        row.question_id = asked.question
        row.left_arm_id = found.left_arm(asked.question, asked.first_left)
        row.key = uuid4()
        row.shown_at = None
    row.returned_at = None


def _asked(row: Assignment, found: Places) -> Asked:
    return Asked(row.question_id, row.left_arm_id == found.arms[row.question_id][0])
