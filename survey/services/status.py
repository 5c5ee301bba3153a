"""Changes of a study's status: which follow each other is decided here, and recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from survey.errors import StudyError
from survey.models import TRANSITIONS, Assignment, Judgment, Study
from survey.services.outcomes import confirm_unconfirmed

Status = Study.Status


@transaction.atomic
def change_status(
    *,
    study: Study,
    to: str,
    by: str = "",
    now: datetime | None = None,
    note: str = "",
    **changes: Any,
) -> Study:
    """Move the study from the status in hand to ``to`` and record it; the study, refreshed.

    ``changes`` are written by the same UPDATE. Launching and closing a study end what could be
    answered before: appraisers who answered everything but never confirmed get their outcome.
    StudyError.
    """
    start = study.status
    if (start, to) not in TRANSITIONS:
        raise StudyError(_impossible(study, to))
    # Read the clock after locking the study: whoever joined or changed it before then has an
    # earlier time.
    list(Study.objects.select_for_update(no_key=True).filter(pk=study.pk).values_list("pk"))
    at = now or timezone.now()
    is_launch = to == Status.RUNNING and start != Status.PAUSED
    if is_launch or to == Status.CLOSED:
        changes["launched_at" if is_launch else "closed_at"] = at
    # Another researcher may have changed the status since the study was read: then this UPDATE
    # matches no row, and their change stays.
    if not Study.objects.filter(pk=study.pk, status=start).update(status=to, **changes):
        study.refresh_from_db()
        raise StudyError(_impossible(study, to))
    study.events.create(at=at, from_status=start, to_status=to, by=by, note=note)
    study.refresh_from_db()
    if is_launch or to == Status.CLOSED:
        _finalize_answers(study, at)
    return study


def _finalize_answers(study: Study, now: datetime) -> None:
    """Appraisers who answered everything but never confirmed count as confirmed.

    They get their outcome, because their answers can no longer change. The caller holds the
    study's row. An answer in transit is either stored before its appraiser is locked here, and
    counted, or finds the study in its new status afterwards.
    """
    if study.changes == "never":
        return
    people = study.appraisers.filter(finished_at=None).order_by("pk")
    held = people.select_for_update(no_key=True, of=("self",)).values_list("pk", flat=True)
    confirm_unconfirmed(study=study, people=list(held), now=now)


@transaction.atomic
def end_pilot(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Return to a draft; the pilot's answers and the questions are discarded. StudyError."""
    # Lock the study, then the appraisers, in the order used everywhere. An answer in transit is
    # either stored before its appraiser is locked, and counted, or finds no appraiser afterwards.
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    list(study.appraisers.select_for_update(of=("self",)).order_by("pk").values_list("pk"))
    discarded = Judgment.objects.filter(assignment__appraiser__study=study)
    note = f"trial answers discarded: {discarded.count()}"
    blank = {"design_hash": "", "profiles_tried": 0, "agreements": 0}
    change_status(study=study, to=Status.DRAFT, by=by, now=now, note=note, **blank)
    discarded.delete()
    Assignment.objects.filter(appraiser__study=study).delete()
    for rows in (study.appraisers, study.withdrawals, study.past_outcomes, study.questions):
        rows.all().delete()
    return study


def _impossible(study: Study, to: str) -> str:
    if to == Status.RUNNING and study.launched_at and study.status != Status.PAUSED:
        return f"The study {study.slug!r} was launched before; it is {study.status} now."
    if to == Status.CLOSED:
        return f"Only a running or paused study can be closed; it is {study.status} now."
    ways = [end for start, end in TRANSITIONS if start == study.status]
    remedy = f"It can become {' or '.join(ways)}." if ways else "Its status is final."
    return f"The study {study.slug!r} is {study.status} now and cannot become {to}. {remedy}"
