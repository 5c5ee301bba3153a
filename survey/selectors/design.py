"""All that was decided about a study, in one canonical form, and its SHA-256.

What a ``Protocol`` decides is left out while it has the value that all studies had before there
was one: so the hash of a study that was frozen earlier stays what it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from recommender.models import Item
from survey.models import Arm, Question, Study
from survey.protocol.fields import Protocol

FORMAT = 1
#: What of a study is part of its design, and what is not: its name in rows, and its life.
SETTINGS = (
    "slug",
    "title",
    "consent_text",
    "instructions",
    "seed",
    "n_profiles",
    "questions_per_appraiser",
    "quota",
    "minimum_profile",
    "profile_pool",
    "profiles_tried",
    "agreements",
)
OUTSIDE = ("id", "status", "design_hash", "created_at", "launched_at", "closed_at")
DATASET = ("name", "checksum", "arrays_checksum")
MODEL = (
    "system",
    "preset",
    "config",
    "seed",
    "split",
    "split_seed",
    "data_checksum",
    "artefact_checksum",
    "code_version",
)


def study_design(study: Study) -> dict[str, Any]:
    """The study's settings, its arms, and every question in order, ready for JSON.

    Movies are named by the data set's own ids and described once, as they were shown.
    """
    arms = {arm.pk: arm for arm in study.arms.select_related("trained_model")}
    questions = list(study.questions.order_by("number"))
    movies = Item.objects.in_bulk(_movies(questions))
    names = {pk: movie.external_id for pk, movie in movies.items()}
    return {
        "format": FORMAT,
        "study": _facts(study, SETTINGS) | _decided(Protocol.of(study)),
        "dataset": _facts(study.dataset, DATASET),
        "arms": [_arm(arm) for arm in arms.values()],
        "questions": [
            {
                "number": question.number,
                "user": question.user,
                "profile": [[names.get(pk), float(stars)] for pk, stars in question.profile],
                "first_arm": arms[question.first_arm_id].position,
                "first_movie": names.get(question.first_item_id),
                "second_arm": arms[question.second_arm_id].position,
                "second_movie": names.get(question.second_item_id),
            }
            for question in questions
        ],
        "movies": {
            movie.external_id: {"title": movie.title, "year": movie.year, "genres": movie.genres}
            for movie in movies.values()
        },
    }


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no white space, UTF-8."""
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def design_hash(study: Study) -> str:
    """The hash of the design as the rows say it now."""
    return digest(study_design(study))


def _facts(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _decided(protocol: Protocol) -> dict[str, Any]:
    """What the study decides otherwise than those that were frozen before one could."""
    plain = dict(Protocol())
    chosen = {name: value for name, value in protocol if value != plain[name]}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in chosen.items()
    }


def _arm(arm: Arm) -> dict[str, Any]:
    facts = _facts(arm, ("position", "label"))
    if arm.trained_model is None:
        return facts | {"upload": {"name": arm.upload_name, "checksum": arm.upload_checksum}}
    return facts | {"model": _facts(arm.trained_model, MODEL)}


def _movies(questions: Iterable[Question]) -> set[int]:
    shown: set[int] = set()
    for question in questions:
        shown.update(pk for pk, _ in question.profile)
        shown.update((question.first_item_id, question.second_item_id))
    return shown
