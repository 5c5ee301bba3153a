"""The life of a study: launched once its recommendations are stored, closed for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from recommender.models import Job, Movie, Recommendation
from recommender.selectors import profiles_of, recommendations_for
from survey.errors import StudyError
from survey.models import Arm, Question, Study


@dataclass(frozen=True)
class _Walk:
    """What going through the pool gave: the questions kept, and how many were passed over."""

    kept: list[tuple[int, Recommendation, Recommendation]]
    tried: int
    agreements: int


def launch_study(*, study: Study, now: datetime | None = None) -> Study:
    """Draw the questions, store them whole and open the study.

    StudyError unless it is a draft whose recommendations are all there, and where too few
    profiles have two different ones.
    """
    if study.status != Study.Status.DRAFT:
        raise StudyError(f"The study {study.slug!r} was launched before.")
    first, second = arms = list(study.arms.select_related("trained_model", "publish_job"))
    published = [_published(study, arm) for arm in arms]
    walk = _walk(study, *published)
    if len(walk.kept) < study.questions_per_appraiser:
        raise StudyError(_too_few(study, walk))
    profiles = profiles_of(dataset=study.dataset, users=[user for user, _, _ in walk.kept])
    questions = [
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
        for number, (user, one, two) in enumerate(walk.kept, start=1)
    ]
    with transaction.atomic():
        # Whoever launches at the same moment finds no draft any more, and stores nothing.
        won = Study.objects.filter(pk=study.pk, status=Study.Status.DRAFT).update(
            status=Study.Status.RUNNING,
            launched_at=now or timezone.now(),
            profiles_tried=walk.tried,
            agreements=walk.agreements,
        )
        if not won:
            raise StudyError(f"The study {study.slug!r} was launched before.")
        Question.objects.bulk_create(questions, batch_size=100)
    study.refresh_from_db()
    return study


def close_study(*, study: Study, now: datetime | None = None) -> Study:
    """Take no more answers, for good. StudyError unless the study is running or paused."""
    open_now = Study.objects.filter(
        pk=study.pk, status__in=[Study.Status.RUNNING, Study.Status.PAUSED]
    )
    if not open_now.update(status=Study.Status.CLOSED, closed_at=now or timezone.now()):
        raise StudyError("Only a study that is running or paused can be closed.")
    study.refresh_from_db()
    return study


def _published(study: Study, arm: Arm) -> dict[int, Recommendation]:
    """The arm's recommendation for each profile of the pool that it has one for."""
    found = recommendations_for(trained_model=arm.trained_model, users=study.profile_pool)
    missing = len(study.profile_pool) - len(found)
    job = arm.publish_job
    if not missing or (job is not None and job.status == Job.Status.DONE):
        # After the job, one who rated everything has no recommendation and is passed over.
        return found
    if job is not None and job.status in {Job.Status.FAILED, Job.Status.CANCELLED}:
        raise StudyError(
            f"The recommendations of {arm.label} could not be made: "
            f"{job.error or 'the job was cancelled.'} "
            f"Mend that; 'launch_study {study.slug}' then tries again."
        )
    raise StudyError(
        f"{missing} of {len(study.profile_pool)} recommendations of {arm.label} are still to be "
        f"made. Start a worker if there is none, wait, then launch again."
    )


def _walk(
    study: Study, first: dict[int, Recommendation], second: dict[int, Recommendation]
) -> _Walk:
    """Take profiles in the order drawn, without agreements, until there are enough questions."""
    kept: list[tuple[int, Recommendation, Recommendation]] = []
    tried = agreements = 0
    for user in study.profile_pool:
        if len(kept) == study.n_profiles:
            break
        tried += 1
        one, two = first.get(user), second.get(user)
        if one is None or two is None:
            continue
        if one.movie_id == two.movie_id:
            agreements += 1
        else:
            kept.append((user, one, two))
    return _Walk(kept, tried, agreements)


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


def _too_few(study: Study, walk: _Walk) -> str:
    return (
        f"Only {len(walk.kept)} of {walk.tried} profiles have two different recommendations (on "
        f"{walk.agreements} both arms agree), but {study.questions_per_appraiser} questions an "
        "appraiser are wanted. Make the study again with more profiles, fewer questions or other "
        "arms."
    )
