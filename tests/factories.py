"""Rows for tests: a small data set with real arrays, untrained models, studies."""

import hashlib
from datetime import UTC, datetime

import factory
import numpy as np
from django.contrib.auth import get_user_model

from recommender import store
from recommender.core.ratings import Ratings, Scale
from recommender.models import Dataset, Evaluation, Item, Job, Recommendation, TrainedModel
from survey.models import Arm, Question, Study

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
N_USERS, N_MOVIES = 40, 30
GENRES = ("Drama", "Comedy", "Thriller", "Animation", "Western")
SCALE = Scale(0.5, 5.0, 0.5)


def small_ratings() -> Ratings:
    """40 users and 30 movies; each user rates 4 to 10, so a minimum of 5 excludes some.

    The values depend on the positions only, so that every process sees the same.
    """
    triples = [
        (user, (7 * user + 3 * nth) % N_MOVIES, 0.5 * (1 + (user * 5 + nth * 3) % 10))
        for user in range(N_USERS)
        for nth in range(4 + user % 7)
    ]
    users, items, values = (np.array(column) for column in zip(*triples, strict=True))
    return Ratings.from_triples(
        users,
        items,
        values,
        scale=SCALE,
        timestamps=1_000_000_000 + 3600 * np.arange(len(users)),
        user_ids=np.array([f"u{user}" for user in range(N_USERS)]),
        item_ids=np.array([str(100 + item) for item in range(N_MOVIES)]),
    )


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")


class DatasetFactory(factory.django.DjangoModelFactory):
    """A registered data set, with its arrays in the store."""

    class Meta:
        model = Dataset

    name = factory.Sequence(lambda n: f"films-{n}")
    checksum = factory.LazyAttribute(lambda row: hashlib.sha256(row.name.encode()).hexdigest())
    format = "test"
    folder = factory.LazyAttribute(lambda row: f"ratings/{row.name}-{row.checksum[:12]}")
    n_items = N_MOVIES
    first_rated_at = NOW
    last_rated_at = NOW

    @classmethod
    def _create(cls, model_class, *args, ratings=None, **values):
        ratings = small_ratings() if ratings is None else ratings
        arrays = {
            "indptr": ratings.indptr,
            "indices": ratings.indices,
            "values": ratings.values,
            "user_ids": ratings.user_ids,
            "item_ids": ratings.item_ids,
        }
        if ratings.timestamps is not None:
            arrays["timestamps"] = ratings.timestamps
        values["arrays_checksum"] = store.write_arrays(values["folder"], arrays)
        values["n_ratings"], values["n_users"] = ratings.n_ratings, ratings.n_users
        values["scale_minimum"] = ratings.scale.minimum
        values["scale_maximum"] = ratings.scale.maximum
        values["scale_step"] = ratings.scale.step
        dataset = super()._create(model_class, *args, **values)
        Item.objects.bulk_create(
            MovieFactory.build(dataset=dataset, position=position, external_id=str(external_id))
            for position, external_id in enumerate(ratings.item_ids)
        )
        return dataset


class MovieFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Item

    dataset = factory.SubFactory(DatasetFactory)
    external_id = factory.Sequence(lambda n: f"extra-{n}")
    position = None
    title = factory.LazyAttribute(
        lambda row: f"Film {row.external_id if row.position is None else row.position}"
    )
    year = factory.LazyAttribute(lambda row: 1950 + 2 * (row.position or 0))
    genres = factory.LazyAttribute(
        lambda row: [GENRES[(row.position or 0) % 5], GENRES[(row.position or 0) // 2 % 5]][
            : 1 + (row.position or 0) % 2
        ]
    )


class JobFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Job

    kind = Job.Kind.TRAIN


class TrainedModelFactory(factory.django.DjangoModelFactory):
    """A finished model with errors and a loss curve, without training or an artefact."""

    class Meta:
        model = TrainedModel
        skip_postgeneration_save = True

    job = factory.SubFactory(
        JobFactory,
        status=Job.Status.DONE,
        attempts=1,
        started_at=NOW,
        finished_at=NOW,
    )
    dataset = factory.SubFactory(DatasetFactory)
    system = "autoencoder"
    preset = factory.LazyAttribute(
        lambda row: {"autoencoder": "compact", "user-knn": "paper"}.get(row.system, "default")
    )
    config = factory.LazyFunction(dict)
    seed = 0
    split = "time-90-10"
    split_facts = factory.LazyFunction(dict)
    data_checksum = factory.SelfAttribute("dataset.checksum")
    code_version = "0.1.0"
    library_versions = factory.LazyFunction(dict)
    device = "cpu"
    seconds = 1.5
    peak_memory_mb = 120.0
    loss_curve = factory.LazyAttribute(
        lambda row: [[1000, 1.4], [2000, 1.1], [3000, 1.0]] if row.system == "autoencoder" else []
    )
    artefact = factory.Sequence(lambda n: f"models/test-{n}")
    artefact_checksum = "0" * 64

    @factory.post_generation
    def evaluation(self, create, extracted, **values):
        if create and extracted is not False:
            facts = {
                "n_train": 270,
                "n_test": 30,
                "cold_share": 0.1,
                "train_rmse": 0.9 if self.system == "autoencoder" else None,
                "rmse": 1.05,
                "mse": 1.1025,
                "mae": 0.8,
            }
            Evaluation.objects.create(trained_model=self, **(facts | values))


class StudyFactory(factory.django.DjangoModelFactory):
    """A running study of two arms with its questions stored, as after launching.

    The profiles are those of users with enough ratings. ``questions=False`` omits the questions;
    ``arms__systems=("bias", "user-knn")`` names other systems.
    """

    class Meta:
        model = Study
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"films-{n}")
    title = "Which film fits better?"
    dataset = factory.SubFactory(DatasetFactory)
    status = Study.Status.RUNNING
    consent_text = "You will compare films. Taking part is free, and you can stop at any time."
    instructions = "Read the profile, then choose the recommendation that is more relevant to it."
    seed = 7
    n_profiles = 20
    questions_per_appraiser = 15
    quota = 100
    minimum_profile = 5
    launched_at = factory.LazyAttribute(
        lambda row: None if row.status in {"draft", "pilot"} else NOW
    )

    @factory.post_generation
    def arms(self, create, extracted, systems=("autoencoder", "user-knn")):
        if not create or extracted is False:
            return
        labels = {"autoencoder": "Autoencoder", "user-knn": "User-user KNN", "bias": "Damped bias"}
        for position, system in enumerate(systems):
            Arm.objects.create(
                study=self,
                position=position,
                label=labels[system],
                trained_model=TrainedModelFactory(dataset=self.dataset, system=system),
            )

    @factory.post_generation
    def questions(self, create, extracted, **_values):
        if create and extracted is not False:
            store_questions(self)


def store_questions(study: Study) -> list[Question]:
    """The first ``n_profiles`` eligible users, each with one unseen movie from each arm."""
    ratings = small_ratings()
    movies = {movie.position: movie for movie in study.dataset.items.all()}
    first, second = study.arms.all()[:2]
    sizes = np.diff(ratings.indptr)
    users = [int(user) for user in np.flatnonzero(sizes >= study.minimum_profile)]
    questions, published = [], []
    for number, user in enumerate(users[: study.n_profiles], start=1):
        here = slice(ratings.indptr[user], ratings.indptr[user + 1])
        rated = dict(
            zip(ratings.indices[here].tolist(), ratings.values[here].tolist(), strict=True)
        )
        unseen = [position for position in movies if position is not None and position not in rated]
        chosen = movies[unseen[user % len(unseen)]], movies[unseen[(user + 1) % len(unseen)]]
        questions.append(
            Question(
                study=study,
                number=number,
                user=user,
                profile=[
                    [movies[position].pk, stars]
                    for position, stars in sorted(rated.items(), key=lambda pair: -pair[1])
                ],
                first_arm=first,
                first_item=chosen[0],
                second_arm=second,
                second_item=chosen[1],
            )
        )
        published += [
            Recommendation(trained_model=arm.trained_model, user=user, item=movie, score=4.5)
            for arm, movie in zip((first, second), chosen, strict=True)
        ]
    Recommendation.objects.bulk_create(published)
    study.profile_pool = users
    study.profiles_tried = len(questions)
    study.save(update_fields=["profile_pool", "profiles_tried"])
    return Question.objects.bulk_create(questions)
