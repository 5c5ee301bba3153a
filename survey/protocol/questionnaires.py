"""Questionnaires: the items that a study may ask, their words by language, reading answers; pure.

``Study.before`` and ``Study.after`` hold lists of items as JSON. ``{"builtin": "sus"}`` stands for
a list of ``protocol.builtin``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    TypeAdapter,
    ValidationError,
    WrapValidator,
    model_validator,
)

from survey.errors import StudyError
from survey.protocol.builtin import BUILTIN
from survey.protocol.problems import STRICT, explain

MOST_ITEMS = 60
LONGEST_TEXT = 1000
LONGEST_ANSWER = 4000
#: Longer numbers are not typed by a person.
LONGEST_NUMBER = 20
#: No exponents: a few characters would stand for a number that fills the memory.
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def _is_trimmed(text: str) -> str:
    # Answers are compared without the white space around them.
    if text != text.strip():
        raise ValueError("Leave out the white space around it.")
    return text


def _keep_type(value: Any, check: Callable[[Any], float]) -> Any:
    # The whole number 7 stays one: it is shown and stored as 7, not 7.0.
    check(value)
    return value


ItemText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_is_trimmed)]
Number = Annotated[float, Field(allow_inf_nan=False), WrapValidator(_keep_type)]


class ItemTranslation(BaseModel):
    """An item's words in another language."""

    model_config = STRICT

    text: ItemText | None = Field(None, description="text, without spaces around it")
    options: list[ItemText] | None = Field(None, description="a list of texts")
    labels: list[ItemText] | None = Field(None, description="a list of two texts")


class QuestionnaireItem(BaseModel):
    """What every kind of item has."""

    model_config = STRICT

    name: str = Field(
        pattern="^[a-z0-9][a-z0-9_-]{0,59}$",
        description="lower-case letters, digits, - and _, at most 60",
    )
    text: ItemText = Field(description="the text to show, without spaces around it")
    kind: str = Field(description="choice, scale, number or text")
    required: bool = Field(True, description="true or false")
    translations: dict[str, ItemTranslation] = Field(
        {}, description="for each language its text, options and labels"
    )
    builtin: str = Field("", description="the built-in questionnaire that the item is from")

    @model_validator(mode="after")
    def _check_translations(self) -> Self:
        if self.builtin not in {"", *BUILTIN}:
            raise StudyError(f"builtin = {self.builtin!r} is not possible. Leave it out.")
        for language, words in self.translations.items():
            for field in ("options", "labels"):
                given = getattr(words, field)
                if given is not None and len(given) != len(getattr(self, field, ())):
                    raise StudyError(
                        f"translations.{language}.{field} is not possible. Give as many texts as "
                        f"{field} of the item has, in the same order."
                    )
        return self


class ChoiceItem(QuestionnaireItem):
    kind: Literal["choice"]
    options: list[ItemText] = Field(
        min_length=2, description="a list of two or more different texts"
    )
    screens_out: list[str] = Field([], description="a list of options that end the study")

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        options = set(self.options)
        if len(options) < len(self.options):
            raise StudyError("options holds a text twice. Give two or more different texts.")
        if not set(self.screens_out) < options:
            raise StudyError(
                "screens_out is not possible. Give some of the options, but not all of them."
            )
        return self


class ScaleItem(QuestionnaireItem):
    kind: Literal["scale"]
    labels: list[ItemText] = Field(
        min_length=2, max_length=2, description="a list of two texts, for the lowest and highest"
    )
    points: int = Field(5, ge=2, le=11, description="a whole number")


class NumberItem(QuestionnaireItem):
    kind: Literal["number"]
    minimum: Number | None = Field(None, description="a number")
    maximum: Number | None = Field(None, description="a number")

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise StudyError(
                f"minimum = {self.minimum} is not possible: it is more than maximum = "
                f"{self.maximum}. Swap the two."
            )
        return self


class TextItem(QuestionnaireItem):
    kind: Literal["text"]


ITEM: TypeAdapter[ChoiceItem | ScaleItem | NumberItem | TextItem] = TypeAdapter(
    Annotated[ChoiceItem | ScaleItem | NumberItem | TextItem, Field(discriminator="kind")]
)
KINDS: Mapping[str, type[QuestionnaireItem]] = {
    "choice": ChoiceItem,
    "scale": ScaleItem,
    "number": NumberItem,
    "text": TextItem,
}


@dataclass(frozen=True)
class AskedOption:
    """``value`` is stored, in every language the same; ``label`` is shown."""

    value: str
    label: str


@dataclass(frozen=True)
class AskedItem:
    """An item in the words of one language."""

    name: str
    text: str
    kind: str
    required: bool = True
    options: tuple[AskedOption, ...] = ()
    low: str = ""
    high: str = ""
    minimum: float | None = None
    maximum: float | None = None
    screens_out: frozenset[str] = frozenset()
    builtin: str = ""

    @property
    def one_of(self) -> bool:
        return self.kind in {"choice", "scale"}


def expand_items(raw: Any) -> list[dict[str, Any]]:
    """The items with every built-in list written out. StudyError for the first problem."""
    if not isinstance(raw, list):
        raise StudyError("A questionnaire is a list of items. Give a list.")
    items: list[dict[str, Any]] = []
    for place, entry in enumerate(raw, start=1):
        if isinstance(entry, dict) and set(entry) == {"builtin"}:
            items += _builtin_items(entry["builtin"])
        else:
            _check_item(entry, place)
            items.append(entry)
    if len(items) > MOST_ITEMS:
        raise StudyError(f"{len(items)} items are too many for one page. Ask {MOST_ITEMS} at most.")
    names = [entry["name"] for entry in items]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise StudyError(f"Two items have the name {doubled[0]!r}. Give each item its own name.")
    return items


def asked_items(
    raw: Sequence[Mapping[str, Any]],
    language: str = "en",
    translate: Callable[[str], str] = str,
) -> list[AskedItem]:
    """The items in the words of a language; ``translate`` is applied to built-in words only."""
    return [
        _asked_item(entry, language, translate if entry.get("builtin") else str)
        for entry in expand_items(list(raw))
    ]


def read_answers(
    items: Sequence[AskedItem], sent: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The answers and what is wrong with them, both by the item's name.

    An optional item without an answer has "". A problem is ``required``, ``unknown`` (not one of
    the item's options), ``number``, ``low``, ``high`` or ``long``.
    """
    answers: dict[str, str] = {}
    problems: dict[str, str] = {}
    for item in items:
        # Browsers end lines with two characters; a null character cannot be stored.
        given = sent.get(item.name, "").replace("\r\n", "\n").replace("\0", "").strip()
        answers[item.name], problem = _read_answer(item, given)
        if problem:
            problems[item.name] = problem
    return answers, problems


def is_screened_out(items: Sequence[AskedItem], answers: Mapping[str, str]) -> bool:
    """Whether one of the answers ends the study for the person who gave it."""
    return any(answers.get(item.name) in item.screens_out for item in items)


def _read_answer(item: AskedItem, given: str) -> tuple[str, str]:
    if not given:
        return "", "required" if item.required else ""
    if item.one_of:
        return given, "" if given in {option.value for option in item.options} else "unknown"
    if item.kind == "number":
        return _read_number(item, given)
    return given, "long" if len(given) > LONGEST_ANSWER else ""


def _read_number(item: AskedItem, given: str) -> tuple[str, str]:
    if not NUMBER.fullmatch(given) or len(given) > LONGEST_NUMBER:
        return given, "number"
    number = Decimal(given.replace(",", "."))
    if item.minimum is not None and number < Decimal(str(item.minimum)):
        return given, "low"
    if item.maximum is not None and number > Decimal(str(item.maximum)):
        return given, "high"
    return format(number, "f"), ""


def _builtin_items(name: Any) -> list[dict[str, Any]]:
    if not isinstance(name, str) or name not in BUILTIN:
        raise StudyError(f"builtin = {name!r} is not possible. Choose from: {', '.join(BUILTIN)}.")
    return [{**entry, "builtin": name} for entry in BUILTIN[name]]


def _check_item(entry: Any, place: int) -> None:
    name, kind = (entry.get(key) if isinstance(entry, dict) else None for key in ("name", "kind"))
    where = f"Item {name!r}" if isinstance(name, str) else f"Item {place}"
    try:
        ITEM.validate_python(entry)
    except ValidationError as error:
        model = KINDS.get(str(kind), QuestionnaireItem)
        skip = 0 if model is QuestionnaireItem else 1
        raise StudyError(f"{where}: {explain(error, model, skip=skip)}") from error
    except StudyError as error:
        raise StudyError(f"{where}: {error}") from error


def _asked_item(
    entry: Mapping[str, Any], language: str, translate: Callable[[str], str]
) -> AskedItem:
    words = {**entry, **entry.get("translations", {}).get(language, {})}
    low, high = map(translate, words.get("labels", ("", "")))
    if entry["kind"] == "scale":
        values = [str(point) for point in range(1, entry.get("points", 5) + 1)]
        options = tuple(AskedOption(value, value) for value in values)
    else:
        pairs = zip(entry.get("options", []), words.get("options", []), strict=True)
        options = tuple(AskedOption(value, translate(label)) for value, label in pairs)
    return AskedItem(
        name=entry["name"],
        text=translate(words["text"]),
        kind=entry["kind"],
        required=entry.get("required", True),
        options=options,
        low=low,
        high=high,
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        screens_out=frozenset(entry.get("screens_out", [])),
        builtin=entry.get("builtin", ""),
    )
