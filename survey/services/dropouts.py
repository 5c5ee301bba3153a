"""Who falls silent gives unanswered questions back to the pool, and who comes back gets some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from survey import pairing
from survey.models import Appraiser, Assignment, Study
from survey.pairing import Asked, Stream
from survey.selectors.capacity import Places, places
from survey.services.assigning import generator_of, settle_silent
from survey.services.outcomes import finish

Kind = Assignment.Kind
#: A sign of life is written down this often at most.
SEEN_EVERY = timedelta(minutes=1)


def seen(*, appraiser: Appraiser, now: datetime | None = None) -> None:
    """A sign of life, written down at most once a minute.

    It comes before all else that a request does, in a transaction of its own: afterwards nobody
    gives this appraiser's questions back any more.
    """
    now = now or timezone.now()
    if appraiser.finished_at or (appraiser.seen_at and now - appraiser.seen_at < SEEN_EVERY):
        return
    # Whoever is giving the questions of this appraiser back holds the row: the UPDATE waits, and
    # ``come_back`` finds them given back. Another tab may have written a later time.
    own = Appraiser.objects.filter(pk=appraiser.pk, finished_at=None)
    own.exclude(seen_at__gt=now).update(seen_at=now)
    appraiser.seen_at = now


def come_back(
    *, appraiser: Appraiser, answering: str | UUID = "", now: datetime | None = None
) -> bool:
    """Take questions that were given back up again, as far as any are still wanted.

    Each is asked again where it has room; else another takes its place, with the same sides; else
    it is dropped, and whoever has answered all that is left is done. One who has answered nothing,
    and for whom nothing is left, keeps them as they are: a place may become free.

    ``answering`` is the question to which an answer is on its way: it comes first. False if it
    was given back and is not wanted any more; its answer cannot count.
    """
    # Cheap, for every page: hardly anybody has been away for long.
    if not appraiser.assignments.exclude(returned_at=None).exists():
        return True
    with transaction.atomic():
        # First the study, then the appraiser, as everybody who takes both.
        study = Study.objects.select_for_update(no_key=True).get(pk=appraiser.study_id)
        # Of itself alone: the order of appraisers would bring the study's row in.
        own = Appraiser.objects.select_for_update(no_key=True, of=("self",))
        locked = own.filter(pk=appraiser.pk).first()
        if locked is None or locked.finished_at or not study.takes(locked.kind):
            return True
        locked.study = study
        wanted = _take_up(locked, str(answering), now or timezone.now())
    appraiser.finished_at, appraiser.outcome = locked.finished_at, locked.outcome
    return wanted


def _take_up(appraiser: Appraiser, answering: str, now: datetime) -> bool:
    settle_silent(study=appraiser.study, kind=appraiser.kind, now=now)
    found = places(appraiser.study, appraiser.kind)
    profiles = {key: standing.profile for key, standing in found.pool.standings.items()}
    rows = list(appraiser.assignments.select_related("judgment").order_by("position"))
    back = [row for row in rows if row.returned_at is not None and not _answered(row)]
    answered = [row for row in rows if row.kind == Kind.MAIN and _answered(row)]
    late = next((row for row in back if str(row.key) == answering), None)
    # Stable: what is being answered first, the others in their order.
    waiting = sorted((row for row in back if row.kind == Kind.MAIN), key=lambda row: row != late)
    # Main questions that wait may go; a repeat goes wherever its question goes.
    stay = [row for row in rows if row not in back or row.kind in {Kind.PRACTICE, Kind.CHECK}]
    plan = pairing.resume(
        found.pool,
        [_asked(row, found) for row in waiting],
        generator_of(appraiser, Stream.RETURN, len(answered)),
        answered=[_asked(row, found).first_left for row in answered],
        without={profiles[row.question_id] for row in stay},
    )
    if any(plan) or answered:
        asked = {row.pk: each for row, each in zip(waiting, plan, strict=True)}
        _carry_out(rows, back, asked, found)
        finish(appraiser=appraiser, now=now)
    # A new key stands for other cards than those that were on the screen.
    return late is None or (late.returned_at is None and str(late.key) == answering)


def _carry_out(
    rows: Sequence[Assignment],
    back: Sequence[Assignment],
    plan: Mapping[int, Asked | None],
    found: Places,
) -> None:
    """Ask what is in ``back``, main questions as ``plan`` says; delete what is not asked again."""
    originals = {row.question_id: row for row in rows if row.kind == Kind.MAIN}
    wanted: dict[int, Asked | None] = {}
    for row in back:
        if row.kind == Kind.REPEAT:
            original = originals[row.question_id]
            asked = plan.get(original.pk, _asked(original, found))
            wanted[row.pk] = asked and asked.swapped()
        else:
            wanted[row.pk] = plan.get(row.pk, _asked(row, found))
    before: Assignment | None = None
    for row in rows:
        echo = row.kind == Kind.REPEAT and originals[row.question_id] == before
        if echo and row.pk in wanted:
            wanted[row.pk] = None  # with nothing left between the two
        if wanted.get(row.pk, row) is not None:
            before = row
    again = []
    for row in back:
        if asked := wanted[row.pk]:
            _ask(row, asked, found)
            again.append(row)
    Assignment.objects.filter(pk__in=[pk for pk, asked in wanted.items() if not asked]).delete()
    Assignment.objects.bulk_update(
        again, ["question", "left_arm", "key", "shown_at", "returned_at"]
    )


def _ask(row: Assignment, asked: Asked, found: Places) -> None:
    """The same again, or something else under a new key: no answer may land on other cards."""
    if asked != _asked(row, found):
        row.question_id = asked.question
        row.left_arm_id = found.left_arm(asked.question, asked.first_left)
        row.key = uuid4()
        row.shown_at = None
    row.returned_at = None


def _asked(row: Assignment, found: Places) -> Asked:
    return Asked(row.question_id, row.left_arm_id == found.arms[row.question_id][0])


def _answered(row: Assignment) -> bool:
    return hasattr(row, "judgment")
