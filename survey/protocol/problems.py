"""Validates the options of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender.options import Model, validated_or
from survey.errors import StudyError


def validated(model: type[Model], values: Mapping[str, Any], **context: Any) -> Model:
    """The model with these values. StudyError for the first one that is not possible."""
    return validated_or(StudyError, model, values, **context)
