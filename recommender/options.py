"""Options defined once, as pydantic models: validation with remedies, and command-line flags."""

from __future__ import annotations

import re
from argparse import _ActionsContainer
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

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


def validated_or(
    refusal: type[Exception], model: type[Model], values: Mapping[str, Any], **context: Any
) -> Model:
    """The model with these values; a ``refusal`` names the first one that is not possible."""
    try:
        return model.model_validate(values, context=context)
    except ValidationError as error:
        raise refusal(explain(error, model)) from error


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
    elif kind in {"greater_than", "greater_than_equal", "less_than_equal"}:
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
    least, more, most = (
        next((getattr(each, name) for each in field.metadata if hasattr(each, name)), None)
        for name in ("ge", "gt", "le")
    )
    return least if more is None else f"more than {more}", most


def flag_form(field: FieldInfo) -> dict[str, Any]:
    """What argparse has to know of a field's type; empty where a flag cannot hold the value."""
    kinds = {field.annotation, get_origin(field.annotation), *get_args(field.annotation)}
    if bool in kinds:
        return {"action": "store_true", "default": None}
    if Literal in kinds:
        return {"choices": [value for value in get_args(field.annotation) if value]}
    if date in kinds:
        return {"metavar": "DATE"}
    if float in kinds:
        return {"metavar": "N", "type": float}
    return {"metavar": "N", "type": _number} if int in kinds else {}


def flag_of_field(name: str) -> str:
    """``--split-seed`` of ``split_seed``."""
    return f"--{name.replace('_', '-')}"


def add_flags(
    parser: _ActionsContainer,
    model: type[BaseModel],
    flag_of: Callable[[str], str] = flag_of_field,
    *,
    defaults: bool = False,
    without: Container[str] = (),
) -> None:
    """A flag for each field; without ``defaults`` a flag that is not given is None."""
    for name, field in model.model_fields.items():
        form = flag_form(field)
        if not form or name in without:
            continue
        words = describe(field).replace("`", "").replace("%", "%%")
        if defaults:
            form["default"] = field.default
            words += "" if field.default is None else f" (default: {field.default})"
        parser.add_argument(flag_of(name), dest=name, help=words, **form)


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


def _number(text: str) -> int | str:
    """What is not a number is left to the model, which accepts 10% for some fields."""
    return int(text) if re.fullmatch("-?[0-9]{1,19}", text) else text
