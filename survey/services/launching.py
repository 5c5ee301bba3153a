"""Draws and freezes the questions, on entering the pilot or the running study."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from recommender.selectors import profiles_of
from recommender.store import StoreError
from survey.errors import DataDamaged, StudyError
from survey.models import Question, Study
from survey.selectors.checklist import checklist
from survey.selectors.design import design_hash
from survey.selectors.protocol_checks import last_day_problems
from survey.services import status

Status = Study.Status


def pilot_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Draw the questions, store them whole and open the study to pilot appraisers.

    StudyError unless the study is a draft with a complete checklist.
    """
    if study.status != Status.DRAFT:
        raise StudyError(f"Only a draft can be piloted; {study.slug!r} is {study.status}.")
    return _freeze(study, to=Status.PILOT, by=by, now=now)


def launch_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Open the study for good: with the pilot's questions, or with new ones from a draft.

    StudyError unless the study is a pilot, or a draft with a complete checklist.
    """
    if study.status == Status.DRAFT:
        return _freeze(study, to=Status.RUNNING, by=by, now=now)
    if study.status != Status.PILOT:
        raise StudyError(f"The study {study.slug!r} was launched before; it is {study.status} now.")
    if design_hash(study) != study.design_hash:
        raise StudyError(
            f"The design of {study.slug!r} has changed since the pilot. "
            "Return to a draft, then launch it again."
        )
    # The only item of the checklist that the passing of time can undo.
    if problems := last_day_problems(study):
        raise StudyError("\n".join(problems))
    return status.change_status(study=study, to=Status.RUNNING, by=by, now=now)


def move_study(*, study: Study, to: str, by: str = "", now: datetime | None = None) -> Study:
    """Move the study to the status ``to``, by the service that owns this step. StudyError."""
    if to not in Status.values:
        raise StudyError(f"There is no status {to!r}. Choose from: {', '.join(Status.values)}.")
    if to == Status.DRAFT:
        return status.end_pilot(study=study, by=by, now=now)
    if to == Status.PILOT:
        return pilot_study(study=study, by=by, now=now)
    if to == Status.RUNNING and study.status != Status.PAUSED:
        return launch_study(study=study, by=by, now=now)
    return status.change_status(study=study, to=to, by=by, now=now)


def _freeze(study: Study, *, to: str, by: str, now: datetime | None) -> Study:
    found = checklist(study)
    drawing = found.drawing
    if drawing is None or found.missing:
        raise StudyError("\n".join(found.missing))
    _add_profiles(study, drawing.kept)
    with transaction.atomic():
        # A concurrent freeze finds that the study is no longer a draft, and stores nothing.
        status.change_status(
            study=study,
            to=to,
            by=by,
            now=now,
            profiles_tried=drawing.tried,
            agreements=drawing.agreements,
        )
        Question.objects.bulk_create(drawing.kept, batch_size=100)
        # Hash the stored rows, so that anyone who reads them computes the same hash.
        study.design_hash = design_hash(study)
        Study.objects.filter(pk=study.pk).update(design_hash=study.design_hash)
    return study


def _add_profiles(study: Study, questions: list[Question]) -> None:
    """Most stars first. StudyError if an arm recommends an item that the profile contains."""
    try:
        users = list(dict.fromkeys(question.user for question in questions))
        profiles = profiles_of(dataset=study.dataset, users=users)
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    for question in questions:
        rated = profiles[question.user]
        known = {item.pk for item, _ in rated}
        for arm, item in (
            (question.first_arm, question.first_item),
            (question.second_arm, question.second_item),
        ):
            if item.pk in known:
                remedy = "train it again" if arm.trained_model_id else "create the study again"
                raise StudyError(
                    f"{arm.label} recommended {item}, which the profile contains already. Its "
                    f"recommendations are damaged: {remedy}."
                )
        rated.sort(key=lambda pair: (-pair[1], pair[0].title.casefold(), pair[0].pk))
        question.profile = [(item.pk, stars) for item, stars in rated]
