"""Where questions are drawn and frozen: into the pilot, and into the running study."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from recommender.models import Movie, Recommendation
from recommender.selectors import profiles_of
from recommender.store import StoreError
from survey.errors import DataDamaged, StudyError
from survey.models import Question, Study
from survey.selectors.checklist import checklist
from survey.selectors.design import design_hash
from survey.selectors.drawing import Drawing
from survey.services import life

Status = Study.Status


def pilot_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Draw the questions, store them whole and open the study for a trial.

    StudyError unless it is a draft with everything on its check list.
    """
    if study.status != Status.DRAFT:
        raise StudyError(f"Only a draft can be tried out; {study.slug!r} is {study.status}.")
    return _freeze(study, to=Status.PILOT, by=by, now=now)


def launch_study(*, study: Study, by: str = "", now: datetime | None = None) -> Study:
    """Open the study, for good: with the pilot's questions, or with new ones from a draft.

    StudyError unless it is a pilot, or a draft with everything on its check list.
    """
    now = now or timezone.now()
    if study.status == Status.DRAFT:
        return _freeze(study, to=Status.RUNNING, by=by, now=now, launched_at=now)
    if study.status != Status.PILOT:
        raise StudyError(f"The study {study.slug!r} was launched before; it is {study.status} now.")
    if design_hash(study) != study.design_hash:
        raise StudyError(
            f"The design of {study.slug!r} is not the one that was frozen for the pilot. "
            "Go back to a draft, and open it anew."
        )
    life.step(study=study, to=Status.RUNNING, by=by, now=now, launched_at=now)
    return study


def change_state(*, study: Study, to: str, by: str = "", now: datetime | None = None) -> Study:
    """The step from where the study is to ``to``, whichever service does it. StudyError."""
    if to == Status.RUNNING and study.status == Status.PAUSED:
        return life.resume_study(study=study, by=by, now=now)
    steps = {
        Status.DRAFT: life.end_pilot,
        Status.PILOT: pilot_study,
        Status.RUNNING: launch_study,
        Status.PAUSED: life.pause_study,
        Status.CLOSED: life.close_study,
    }
    if to not in steps:
        raise StudyError(f"There is no status {to!r}. Choose from: {', '.join(steps)}.")
    return steps[Status(to)](study=study, by=by, now=now)


def _freeze(
    study: Study,
    *,
    to: str,
    by: str,
    now: datetime | None,
    launched_at: datetime | None = None,
) -> Study:
    found = checklist(study)
    drawing = found.drawing
    if drawing is None or found.missing:
        raise StudyError("\n".join(found.missing))
    questions = _questions(study, drawing)
    with transaction.atomic():
        # Whoever freezes at the same moment finds no draft any more, and stores nothing.
        life.step(
            study=study,
            to=to,
            by=by,
            now=now,
            launched_at=launched_at,
            profiles_tried=drawing.tried,
            agreements=drawing.agreements,
        )
        Question.objects.bulk_create(questions, batch_size=100)
        # Of the rows as they are stored, so that whoever reads them comes to the same hash.
        study.design_hash = design_hash(study)
        Study.objects.filter(pk=study.pk).update(design_hash=study.design_hash)
    return study


def _questions(study: Study, drawing: Drawing) -> list[Question]:
    first, second = study.arms.all()
    try:
        profiles = profiles_of(dataset=study.dataset, users=[user for user, _, _ in drawing.kept])
    except StoreError as error:
        raise DataDamaged(str(error)) from error
    return [
        Question(
            study=study,
            number=number,
            user=user,
            profile=_best_first(profiles[user], one, two),
            first_arm=first,
            first_movie=one.movie,
            second_arm=second,
            second_movie=two.movie,
        )
        for number, (user, one, two) in enumerate(drawing.kept, start=1)
    ]


def _best_first(
    rated: list[tuple[Movie, float]], *recommendations: Recommendation
) -> list[tuple[int, float]]:
    """The profile as it is stored; a recommendation of what is in it would make no question."""
    known = {movie.pk for movie, _ in rated}
    for recommendation in recommendations:
        if recommendation.movie_id in known:
            raise StudyError(
                f"Model {recommendation.trained_model_id} recommended {recommendation.movie}, "
                "which the profile holds already. Its recommendations are damaged: train it again."
            )
    ordered = sorted(rated, key=lambda pair: (-pair[1], pair[0].title.casefold(), pair[0].pk))
    return [(movie.pk, stars) for movie, stars in ordered]
