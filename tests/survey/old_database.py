"""A study of the time before protocols and histories: ``python -m tests.survey.old_database``.

Prints what becomes of it when the database is brought up to date.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import django

BEFORE = [("recommender", "0003_code_that_began"), ("survey", "0003_judgment_visible_time")]
CHECKSUM = hashlib.sha256(b"older").hexdigest()
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
#: Who answered what, in the order of the questions; Ben and the program stopped on the way.
ANSWERS = {
    ("real", 1): ["left", "left", "right"],
    ("real", 2): ["right"],
    ("simulated", 1): ["left", "right"],
}


def fill(tables: Any) -> Any:
    """A running study of three questions; ``tables`` gives a model of that time by its name."""
    dataset, models = _models(tables)
    study = tables("Study").objects.create(
        slug="older",
        title="Which film fits better?",
        dataset_id=dataset.pk,
        status="running",
        consent_text="You will compare films.",
        instructions="Read the profile, then choose.",
        seed=7,
        n_profiles=3,
        questions_per_appraiser=3,
        quota=4,
        minimum_profile=5,
        profile_pool=[5, 3, 8, 1],
        profiles_tried=4,
        agreements=1,
        launched_at=NOW,
    )
    arms = [
        tables("Arm").objects.create(
            study=study, position=position, label=label, trained_model_id=model.pk
        )
        for position, (label, model) in enumerate(
            zip(("Autoencoder", "User-user KNN"), models, strict=True)
        )
    ]
    movies = list(dataset.movies.order_by("position").values_list("pk", flat=True))
    questions = [
        tables("Question").objects.create(
            study=study,
            number=number,
            user=user,
            profile=[[movies[user], 4.5], [movies[user + 1], 2.0]],
            first_arm=arms[0],
            first_movie_id=movies[20],
            second_arm=arms[1],
            second_movie_id=movies[21 + number],
        )
        for number, user in enumerate((5, 3, 8), start=1)
    ]
    for (kind, number), choices in ANSWERS.items():
        _take_part(tables, study, kind, number, questions, arms, choices)
    return study


def _models(tables: Any) -> tuple[Any, list[Any]]:
    """A data set with its movies, and two trained models, in the tables of that time."""
    from tests.factories import SCALE, MovieFactory, small_ratings

    ratings = small_ratings()
    dataset = tables("Dataset").objects.create(
        name="older",
        checksum=CHECKSUM,
        format="test",
        folder=f"ratings/older-{CHECKSUM[:12]}",
        arrays_checksum="0" * 64,
        n_ratings=ratings.n_ratings,
        n_users=ratings.n_users,
        n_movies=ratings.n_items,
        scale_minimum=SCALE.minimum,
        scale_maximum=SCALE.maximum,
        scale_step=SCALE.step,
        first_rated_at=NOW,
        last_rated_at=NOW,
    )
    for position, external_id in enumerate(ratings.item_ids):
        now = MovieFactory.build(dataset=None, position=position, external_id=str(external_id))
        names = ("external_id", "position", "title", "year", "genres")
        values = {name: getattr(now, name) for name in names}
        tables("Movie").objects.create(dataset=dataset, **values)
    return dataset, [_model(tables, dataset, system) for system in ("autoencoder", "user-knn")]


def _model(tables: Any, dataset: Any, system: str) -> Any:
    from tests.factories import TrainedModelFactory

    now = TrainedModelFactory.build(dataset=None, job=None, system=system, data_checksum=CHECKSUM)
    values = {
        field.attname: getattr(now, field.attname)
        for field in now._meta.concrete_fields
        if field.attname not in {"id", "job_id", "dataset_id"}
    }
    job = tables("Job").objects.create(kind="train", status="done", attempts=1, started_at=NOW)
    return tables("TrainedModel").objects.create(job=job, dataset=dataset, **values)


def _take_part(
    tables: Any, study: Any, kind: str, number: int, questions: Any, arms: Any, choices: list[str]
) -> None:
    who = tables("Appraiser").objects.create(
        study=study,
        kind=kind,
        number=number,
        token_digest=f"{kind}-{number}",
        completion_code=f"{kind}-{number}",
        consent_text=study.consent_text,
        consented_at=NOW,
        instructed_at=NOW,
        finished_at=NOW if len(choices) == len(questions) else None,
    )
    for place, question in enumerate(questions):
        left = place % 2
        row = tables("Assignment").objects.create(
            appraiser=who,
            question=question,
            position=place + 1,
            left_arm=arms[left],
            shown_at=NOW,
        )
        if place < len(choices):
            tables("Judgment").objects.create(
                assignment=row,
                choice=choices[place],
                chosen_arm=arms[left if choices[place] == "left" else 1 - left],
                answered_at=NOW + timedelta(seconds=place),
                visible_ms=900 + place,
            )


def older() -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    for app, name in BEFORE:
        call_command("migrate", app, name, verbosity=0)
    apps = MigrationExecutor(connection).loader.project_state(BEFORE).apps
    models = {model.__name__: model for model in apps.get_models()}
    filled = fill(models.__getitem__)
    call_command("migrate", verbosity=0)
    return {"now": found(filled.pk), "going_on": go_on(filled.pk)}


def found(pk: int) -> dict[str, Any]:
    from survey import exports
    from survey.models import Appraiser, Judgment, JudgmentRevision, Study
    from survey.selectors.design import design_hash
    from survey.selectors.results import study_results

    study = Study.objects.get(pk=pk)
    real = study_results(study, kind="real")
    said = ("assignment", "choice", "chosen_arm", "answered_at", "visible_ms")
    _, *rows = exports.judgment_rows(study)
    return {
        "design_hash": design_hash(study),
        "arms": [(arm.wins, arm.judged, arm.shown_left) for arm in real.arms],
        "people": (real.trust["n_appraisers"], real.trust["n_finished"]),
        "kinds": real.kinds,
        "outcomes": list(Appraiser.objects.values_list("kind", "number", "outcome")),
        "rows": [row[:11] for row in rows],
        "unlike_their_history": len(
            set(Judgment.objects.values_list(*said))
            ^ set(JudgmentRevision.objects.filter(number=1).values_list(*said))
        ),
    }


def go_on(pk: int) -> dict[str, Any]:
    """Ben, who was silent since long before anybody looked, does the rest."""
    from survey.models import Appraiser, Study
    from survey.selectors.question import question_page
    from survey.services.answering import record_judgment
    from survey.services.dropouts import reclaim_assignments
    from survey.services.joining import join_study
    from survey.services.visiting import note_activity

    ben = Appraiser.objects.select_related("study").get(study=pk, kind="real", number=2)
    join_study(study=Study.objects.get(pk=pk))
    given_back = ben.assignments.exclude(returned_at=None).count()
    note_activity(appraiser=ben)
    reclaim_assignments(appraiser=ben)
    while page := question_page(ben):
        record_judgment(
            appraiser=ben, assignment_key=page["assignment_key"], choice="left", shown=page["shown"]
        )
    ben.refresh_from_db()
    return {"given_back": given_back, "outcome": ben.outcome}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(older(), default=str))
