"""The life of a study: which step follows which, decided once, and written down."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from survey.errors import StudyError
from survey.models import TRANSITIONS, Assignment, Judgment, Study, StudyEvent
from survey.services.outcomes import confirm_unconfirmed

Status = Study.Status
#: The steps whose time the study itself keeps.
STAMPS: dict[tuple[str, str], str] = {
    (Status.DRAFT, Status.RUNNING): "launched_at",
    (Status.PILOT, Status.RUNNING): "launched_at",
    (Status.RUNNING, Status.CLOSED): "closed_at",
    (Status.PAUSED, Status.CLOSED): "closed_at",
}


@transaction.atomic
def change_status(
    *,
    study: Study,
    to: str,
    by: str = "",
    now: datetime | None = None,
    note: str = "",
    **changes: Any,
) -> datetime:
    """From the status that ``study`` shows to the next, with the event; when that was. StudyError.

    ``changes`` are written by the same UPDATE. The study in hand is read anew.
    """
    start = study.status
    if (start, to) not in TRANSITIONS:
        raise StudyError(_impossible(study, to))
    # The clock is read once the study is held: whoever joins or takes a step before this one has
    # an earlier time.
    list(Study.objects.select_for_update(no_key=True).filter(pk=study.pk).values_list("pk"))
    at = now or timezone.now()
    if stamp := STAMPS.get((start, to)):
        changes[stamp] = at
    # Somebody may have taken another step since the study was read: then no row is left to
    # change, and theirs stands.
    if not Study.objects.filter(pk=study.pk, status=start).update(status=to, **changes):
        study.refresh_from_db()
        raise StudyError(_impossible(study, to))
    record_event(study=study, start=start, end=to, at=at, by=by, note=note)
    study.refresh_from_db()
    return at


def record_event(
    *, study: Study, start: str, end: str, at: datetime, by: str = "", note: str = ""
) -> StudyEvent:
    return StudyEvent.objects.create(
        study=study, at=at, from_status=start, to_status=end, by=by, note=note
    )


def pause_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Take no answers for a while; everybody's link goes on after ``resume_study``."""
    change_status(study=study, to=Status.PAUSED, by=by, now=now)
    return study


def resume_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Take answers again. StudyError unless the study is paused."""
    if study.status != Status.PAUSED:
        raise StudyError(f"Only a study that is paused can go on; {study.slug!r} is not.")
    change_status(study=study, to=Status.RUNNING, by=by, now=now)
    return study


@transaction.atomic
def close_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Take no more answers, for good. StudyError unless the study is running or paused.

    From then on no answer can change: who answered everything and never said that it is final is
    done, or has failed the checks.
    """
    at = change_status(study=study, to=Status.CLOSED, by=by, now=now)
    decide_ends(study=study, now=at)
    return study


@transaction.atomic
def open_after_pilot(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """From the pilot into the running study, for good. StudyError unless it is a pilot.

    The trial is over with it: who answered everything in it and never said that it is final is
    done, or has failed the checks.
    """
    at = change_status(study=study, to=Status.RUNNING, by=by, now=now)
    decide_ends(study=study, now=at)
    return study


def decide_ends(*, study: Study, now: datetime) -> None:
    """Nobody who came so far can change an answer any more: it ends for those who gave all.

    The caller holds the study's row, by the step. An answer on its way is stored before its
    appraiser's lock is had, and counted, or finds the study in its new status after it.
    """
    if study.changes == "never":
        return
    people = study.appraisers.filter(finished_at=None).order_by("pk")
    held = people.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True)
    confirm_unconfirmed(study=study, people=list(held), now=now)


@transaction.atomic
def end_pilot(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Back to a draft: the pilot's answers and the questions are discarded. StudyError."""
    # First the study, then the appraisers, as everywhere. An answer on its way is either stored
    # before their lock is had, and counted, or finds nobody after it.
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    list(study.appraisers.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    gone = Judgment.objects.filter(assignment__appraiser__study=study)
    note = f"trial answers discarded: {gone.count()}"
    nothing = {"design_hash": "", "profiles_tried": 0, "agreements": 0}
    change_status(study=study, to=Status.DRAFT, by=by, now=now, note=note, **nothing)
    gone.delete()
    Assignment.objects.filter(appraiser__study=study).delete()
    study.appraisers.all().delete()
    study.withdrawals.all().delete()
    study.questions.all().delete()
    return study


def _impossible(study: Study, to: str) -> str:
    if to == Status.RUNNING and study.launched_at and study.status != Status.PAUSED:
        return f"The study {study.slug!r} was launched before; it is {study.status} now."
    if to == Status.CLOSED:
        return f"Only a study that is running or paused can be closed; it is {study.status} now."
    ways = [end for start, end in TRANSITIONS if start == study.status]
    remedy = f"It can become {' or '.join(ways)}." if ways else "It stays as it is."
    return f"The study {study.slug!r} is {study.status} now and cannot become {to}. {remedy}"
