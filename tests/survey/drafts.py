"""Prepared studies for tests, and what their publish jobs would store."""

from collections.abc import Callable, Sequence
from typing import Any

from recommender.models import Job, Recommendation
from recommender.selectors import profiles_of
from survey.models import Study
from survey.protocol.fields import StudyPlan
from survey.services.preparing import prepare_study
from tests.factories import DatasetFactory, TrainedModelFactory


def prepared(
    slug: str = "films",
    systems: Sequence[str] = ("autoencoder", "user-knn"),
    **wishes: Any,
) -> Study:
    """A draft that wants 12 profiles and 10 questions an appraiser; nothing is published yet."""
    dataset = DatasetFactory(name=slug)
    asked: dict[str, Any] = {
        "slug": slug,
        "dataset": dataset,
        "arms": [TrainedModelFactory(dataset=dataset, system=name) for name in systems],
        "profiles": 12,
        "questions": 10,
        "appraisers": 5,
        "seed": 3,
    }
    asked |= wishes
    plan = {name: asked.pop(name) for name in StudyPlan.model_fields if name in asked}
    return prepare_study(plan=StudyPlan(**plan), **asked)


def publish(
    study: Study,
    *,
    agree: Callable[[int], bool] = lambda place: False,
    tied: Callable[[int], int] = lambda place: 1,
    done: bool = True,
) -> None:
    """Each arm's recommendation for the whole pool; ``place`` is a profile's place in it."""
    movies = list(study.dataset.items.exclude(position=None).order_by("position"))
    profiles = profiles_of(dataset=study.dataset, users=study.profile_pool)
    for arm in study.arms.exclude(trained_model=None):
        rows = []
        for place, user in enumerate(study.profile_pool):
            rated = {movie.pk for movie, _ in profiles[user]}
            unseen = [movie for movie in movies if movie.pk not in rated]
            movie = unseen[0 if agree(place) else arm.position]
            rows.append(
                Recommendation(
                    trained_model=arm.trained_model,
                    user=user,
                    item=movie,
                    score=4.5,
                    tied=tied(place),
                )
            )
        Recommendation.objects.bulk_create(rows)
    if done:
        Job.objects.filter(kind=Job.Kind.PUBLISH).update(status=Job.Status.DONE)
