"""The design of a study in one canonical form, and its SHA-256.

A protocol option with its default value is left out, so that studies frozen before the option
existed keep their hash.
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
#: The fields of a study that are part of its design, and those that are not.
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

    Items are named by the data set's ids and described once, as they were shown. The keys say
    "movie" because changing a key would change the hash of every frozen study.
    """
    arms = {arm.pk: arm for arm in study.arms.select_related("trained_model")}
    questions = list(study.questions.order_by("number"))
    items = Item.objects.in_bulk(_items(questions))
    names = {pk: item.external_id for pk, item in items.items()}
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
            item.external_id: {"title": item.title, "year": item.year, "genres": item.genres}
            for item in items.values()
        },
    }


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no white space, UTF-8."""
    text = json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def design_hash(study: Study) -> str:
    """The hash of the design computed from the current rows."""
    return digest(study_design(study))


def _facts(row: Any, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _decided(protocol: Protocol) -> dict[str, Any]:
    """The protocol options that differ from their defaults."""
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


def _items(questions: Iterable[Question]) -> set[int]:
    shown: set[int] = set()
    for question in questions:
        shown.update(pk for pk, _ in question.profile)
        shown.update((question.first_item_id, question.second_item_id))
    return shown
