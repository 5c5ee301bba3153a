"""Questionnaires: the items that a study may ask, their words by language, reading answers; pure.

``Study.before`` and ``Study.after`` hold lists of items as JSON. ``{"builtin": "sus"}`` stands for
a list of ``protocol.builtin``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, FiniteFloat, model_validator

from recommender.options import StrictModel
from survey.errors import StudyError
from survey.protocol.builtin import BUILTIN
from survey.protocol.problems import validated

MOST_ITEMS = 60
LONGEST_TEXT = 1000
LONGEST_ANSWER = 4000
#: Longer numbers are not typed by a person.
LONGEST_NUMBER = 20
#: No exponents: a few characters would stand for a number that fills the memory.
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


#: Answers are compared without the white space around them.
ItemText = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"(?s)^\S(.*\S)?$")]


class ItemTranslation(StrictModel):
    """An item's words in another language."""

    text: ItemText | None = None
    """text, without spaces around it"""
    options: list[ItemText] | None = None
    """a list of texts"""
    labels: list[ItemText] | None = None
    """a list of two texts"""


class QuestionnaireItem(StrictModel):
    """What every kind of item has."""

    name: str = Field(pattern="^[a-z0-9][a-z0-9_-]{0,59}$")
    """lower-case letters, digits, - and _, at most 60"""
    text: ItemText
    """the text to show, without spaces around it"""
    kind: Literal["choice", "scale", "number", "text"]
    """choice, scale, number or text"""
    required: bool = True
    """true or false"""
    translations: dict[str, ItemTranslation] = {}
    """for each language its text, options and labels"""
    builtin: Literal["", "sus", "resque-short"] = ""
    """the built-in questionnaire that the item is from"""

    @model_validator(mode="after")
    def _check_translations(self) -> Self:
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
    options: list[ItemText] = Field(min_length=2)
    """a list of two or more different texts"""
    screens_out: list[str] = []
    """a list of options that end the study"""

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        options = set(self.options)
        if len(options) < len(self.options):
            raise StudyError("options has a text twice. Give two or more different texts.")
        if not set(self.screens_out) < options:
            raise StudyError("screens_out is not possible. Give some of the options, but not all.")
        return self


class ScaleItem(QuestionnaireItem):
    labels: list[ItemText] = Field(min_length=2, max_length=2)
    """a list of two texts, for the lowest and the highest point"""
    points: int = Field(5, ge=2, le=11)
    """a whole number"""


class NumberItem(QuestionnaireItem):
    minimum: FiniteFloat | None = None
    """a number"""
    maximum: FiniteFloat | None = None
    """a number"""

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise StudyError(
                f"minimum = {self.minimum} is more than maximum = {self.maximum}. Swap the two."
            )
        return self


KINDS: dict[str, type[QuestionnaireItem]] = {
    "choice": ChoiceItem,
    "scale": ScaleItem,
    "number": NumberItem,
    "text": QuestionnaireItem,
}


class AskedOption(NamedTuple):
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


def expand_items(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items with every built-in list written out. StudyError for the first problem."""
    items: list[dict[str, Any]] = []
    for place, entry in enumerate(entries, start=1):
        if set(entry) == {"builtin"}:
            items += _builtin_items(entry["builtin"])
            continue
        try:
            validated(KINDS.get(str(entry.get("kind")), QuestionnaireItem), entry)
        except StudyError as error:
            raise StudyError(f"Item {entry.get('name', place)!r}: {error}") from error
        items.append(entry)
    if len(items) > MOST_ITEMS:
        raise StudyError(f"{len(items)} items are too many for one page. Ask {MOST_ITEMS} at most.")
    names = [entry["name"] for entry in items]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise StudyError(f"Two items have the name {doubled[0]!r}. Give each item its own name.")
    return items


def asked_items(
    entries: Sequence[dict[str, Any]],
    language: str = "en",
    translate: Callable[[str], str] = str,
) -> list[AskedItem]:
    """The items in the words of a language; ``translate`` is applied to built-in words only."""
    return [
        _asked_item(entry, language, translate if entry.get("builtin") else str)
        for entry in expand_items(entries)
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
    kept = ("name", "kind", "required", "minimum", "maximum", "builtin")
    return AskedItem(
        **{name: entry[name] for name in kept if name in entry},
        text=translate(words["text"]),
        options=options,
        low=low,
        high=high,
        screens_out=frozenset(entry.get("screens_out", [])),
    )
