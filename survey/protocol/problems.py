"""Validates by pydantic, and says what is wrong: the field, its value and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from survey.errors import StudyError

#: pydantic's type of a problem -> what to write; for others the field's description says it.
REMEDIES = {
    "bool_type": "true or false",
    "date_type": "a date without quotes, such as 2026-12-31",
    "int_type": "a whole number",
    "model_attributes_type": "a table",
    "model_type": "a table",
    "string_type": "text in quotes",
}
LONGEST_VALUE = 60


class StrictModel(BaseModel):
    """Unknown fields are errors, 2.0 is not a whole number; the text under a field describes it."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], values: Mapping[str, Any], **context: Any) -> Model:
    """The model with these values. StudyError for the first one that is not possible."""
    try:
        return model.model_validate(values, context=context)
    except ValidationError as error:
        raise StudyError(explain(error, model)) from error


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem in words."""
    problem = error.errors(include_url=False)[0]
    path, kind, context = problem["loc"], problem["type"], problem.get("ctx", {})
    owner, field = _find(model, path)
    name = _dotted(path)
    if kind == "extra_forbidden":
        close = get_close_matches(str(path[-1]), owner.model_fields, n=1)
        known = ", ".join(owner.model_fields)
        hint = f"Did you mean {close[0]!r}?" if close else f"Choose from: {known}."
        return f"There is no field {name!r}. {hint}"
    if kind == "missing":
        return f"{name} is missing. Give {describe(field)}."
    if path and path[-1] == "[key]":
        return f"{_dotted(path[:-2])} has no {path[-2]!r}. Choose {context['expected']}."
    if "expected" in context:
        remedy = f"Choose {context['expected']}."
    elif kind == "value_error":
        remedy = str(context["error"])
    elif kind in {"greater_than_equal", "less_than_equal"}:
        remedy = "Choose {} to {}.".format(*limits(field))
    else:
        remedy = f"Give {REMEDIES.get(kind) or describe(field)}."
    shown = repr(problem["input"])
    if len(shown) > LONGEST_VALUE:
        shown = f"{shown[:LONGEST_VALUE]}…"
    return f"{name} = {shown} is not possible. {remedy}".removeprefix(" = ")


def describe(field: FieldInfo) -> str:
    """A field's description in one line."""
    return " ".join((field.description or "another value").split())


def limits(field: FieldInfo) -> tuple[Any, Any]:
    """The smallest and the largest value of a field; None where there is no limit."""
    least, most = (
        next((getattr(each, name) for each in field.metadata if hasattr(each, name)), None)
        for name in ("ge", "le")
    )
    return least, most


def _find(model: type[BaseModel], path: Sequence[str | int]) -> tuple[type[BaseModel], FieldInfo]:
    """The innermost model on the path, and the last field that the path names."""
    field = FieldInfo()
    inner: Any = model
    for part in path:
        if hasattr(inner, "model_fields"):
            model = inner
            field = model.model_fields.get(str(part), field)
            inner = field.annotation
    return model, field


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(part for part in path if isinstance(part, str))
