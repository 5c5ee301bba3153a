"""Lists of items that a study asks before and after its questions: parsed, checked, read; pure.

An item is a JSON object: ``{"name", "text", "kind"}`` with, by kind, ``"options"`` and
``"screens_out"`` (choice), ``"labels"`` [low, high] and ``"points"`` (scale), ``"minimum"`` and
``"maximum"`` (number); ``"required"`` (true unless said otherwise); and ``"translations"``
{language: {"text", "options", "labels"}}. ``{"builtin": "sus"}`` stands for a list that is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from survey.errors import StudyError
from survey.protocol.builtin import BUILTIN

KINDS = ("choice", "scale", "number", "text")
FIELDS = {
    "choice": {"options", "screens_out"},
    "scale": {"labels", "points"},
    "number": {"minimum", "maximum"},
    "text": set(),
}
EVERY = {"name", "text", "kind", "required", "translations", "builtin"}
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
MOST_ITEMS = 60
LONGEST_TEXT = 1000
LONGEST_ANSWER = 4000
#: A number that is no more than this many characters is one that a person writes.
LONGEST_NUMBER = 20
#: Without an exponent: a few characters would stand for a number that fills the memory.
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


@dataclass(frozen=True)
class Option:
    """``value`` is stored, whatever the language; ``label`` is read."""

    value: str
    label: str


@dataclass(frozen=True)
class Item:
    """One item in the words of one language."""

    name: str
    text: str
    kind: str
    required: bool = True
    options: tuple[Option, ...] = ()
    low: str = ""
    high: str = ""
    minimum: float | None = None
    maximum: float | None = None
    screens_out: frozenset[str] = frozenset()
    builtin: str = ""

    @property
    def one_of(self) -> bool:
        return self.kind in {"choice", "scale"}


def expand(raw: Any) -> list[dict[str, Any]]:
    """The items with every built-in list written out; StudyError, with the remedy, for a fault."""
    if not isinstance(raw, list):
        raise StudyError("A questionnaire is a list of items: write [ … ].")
    found: list[dict[str, Any]] = []
    for place, entry in enumerate(raw, start=1):
        if not isinstance(entry, dict):
            raise StudyError(f"Item {place} is no object: write {{'name': …, 'text': …}}.")
        if set(entry) == {"builtin"}:
            found += _builtin(entry["builtin"])
        else:
            _check(entry, f"Item {place}")
            found.append(entry)
    if len(found) > MOST_ITEMS:
        raise StudyError(f"{len(found)} items are too many for one page. Ask {MOST_ITEMS} at most.")
    names = [entry["name"] for entry in found]
    for name in names:
        if names.count(name) > 1:
            raise StudyError(
                f"Two items are called {name!r}. Give each item of a questionnaire its own name."
            )
    return found


def items(
    raw: Sequence[Mapping[str, Any]],
    language: str = "en",
    translate: Callable[[str], str] = str,
) -> list[Item]:
    """The items of a checked list in a language; ``translate`` knows the built-in words."""
    return [
        _item(entry, language, translate if entry.get("builtin") else str)
        for entry in expand(list(raw))
    ]


def read(asked: Sequence[Item], sent: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What was answered, and what is wrong with it; both by the name of the item.

    An item left out that is not required is "". What is wrong is one of ``required``,
    ``unknown`` (no option of this item), ``number``, ``low``, ``high`` and ``long``.
    """
    answers: dict[str, str] = {}
    problems: dict[str, str] = {}
    for item in asked:
        # A browser ends lines with two characters; a null cannot be stored.
        given = sent.get(item.name, "").replace("\r\n", "\n").replace("\0", "").strip()
        answers[item.name], problem = _read(item, given)
        if problem:
            problems[item.name] = problem
    return answers, problems


def screened_out(asked: Sequence[Item], answers: Mapping[str, str]) -> bool:
    """Whether one of the answers ends the study for this person."""
    return any(answers.get(item.name) in item.screens_out for item in asked)


def _read(item: Item, given: str) -> tuple[str, str]:
    if not given:
        return "", "required" if item.required else ""
    if item.one_of:
        return given, "" if given in {option.value for option in item.options} else "unknown"
    if item.kind == "number":
        return _number(item, given)
    return given, "long" if len(given) > LONGEST_ANSWER else ""


def _number(item: Item, given: str) -> tuple[str, str]:
    if not NUMBER.fullmatch(given) or len(given) > LONGEST_NUMBER:
        return given, "number"
    number = Decimal(given.replace(",", "."))
    if item.minimum is not None and number < Decimal(str(item.minimum)):
        return given, "low"
    if item.maximum is not None and number > Decimal(str(item.maximum)):
        return given, "high"
    return format(number, "f"), ""


def _builtin(name: Any) -> list[dict[str, Any]]:
    if not isinstance(name, str) or name not in BUILTIN:
        raise StudyError(
            f"There is no built-in questionnaire {name!r}. There are: {', '.join(BUILTIN)}."
        )
    return [{**entry, "builtin": name} for entry in BUILTIN[name]]


def _item(entry: Mapping[str, Any], language: str, translate: Callable[[str], str]) -> Item:
    own = entry.get("translations", {}).get(language, {})
    texts = {key: own.get(key, entry.get(key)) for key in ("text", "options", "labels")}
    low, high = map(translate, texts["labels"] or ("", ""))
    if entry["kind"] == "scale":
        steps = [str(step) for step in range(1, entry.get("points", 5) + 1)]
        options = tuple(Option(step, step) for step in steps)
    else:
        pairs = zip(entry.get("options", []), texts["options"] or [], strict=True)
        options = tuple(Option(value, translate(label)) for value, label in pairs)
    return Item(
        name=entry["name"],
        text=translate(texts["text"]),
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


def _check(entry: dict[str, Any], where: str) -> None:
    name = entry.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise StudyError(
            f"{where}: name = {name!r}. Write small letters, digits, - and _, at most 60 of them."
        )
    where = f"Item {name!r}"
    kind = entry.get("kind")
    if kind not in KINDS:
        raise StudyError(f"{where}: kind = {kind!r}. Choose from: {', '.join(KINDS)}.")
    for field in entry:
        if field not in EVERY | FIELDS[kind]:
            may = ", ".join(sorted(EVERY | FIELDS[kind]))
            raise StudyError(f"{where}: a {kind} has no field {field!r}. It may have: {may}.")
    if not _is_text(entry.get("text")):
        raise StudyError(f"{where}: text is missing, or has spaces around it. Write what is asked.")
    if not isinstance(entry.get("required", True), bool):
        raise StudyError(f"{where}: required is true or false.")
    if entry.get("builtin", "") not in {"", *BUILTIN}:
        raise StudyError(f"{where}: builtin names no list that is known. Leave it out.")
    _check_kind(entry, kind, where)
    _check_translations(entry, where)


def _check_kind(entry: dict[str, Any], kind: str, where: str) -> None:
    if kind == "choice":
        options = _texts(entry.get("options"))
        if len(options) < 2 or len(set(options)) < len(options):
            raise StudyError(f"{where}: options is a list of two or more different answers.")
        ending = entry.get("screens_out", [])
        if not isinstance(ending, list) or not set(map(str, ending)) <= set(options):
            raise StudyError(f"{where}: screens_out is a list of some of the options.")
        if set(ending) == set(options):
            raise StudyError(f"{where}: screens_out holds every option. Leave one that goes on.")
    if kind == "scale":
        if len(_texts(entry.get("labels"))) != 2:
            raise StudyError(f"{where}: labels is a list of two words, for the two ends.")
        points = entry.get("points", 5)
        if not isinstance(points, int) or isinstance(points, bool) or not 2 <= points <= 11:
            raise StudyError(f"{where}: points = {points!r} is not possible. Choose 2 to 11.")
    if kind == "number":
        for field in ("minimum", "maximum"):
            value = entry.get(field)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise StudyError(f"{where}: {field} = {value!r} is no number.")
        low, high = entry.get("minimum"), entry.get("maximum")
        if low is not None and high is not None and low > high:
            raise StudyError(f"{where}: minimum {low} is more than maximum {high}. Swap the two.")


def _check_translations(entry: dict[str, Any], where: str) -> None:
    translations = entry.get("translations", {})
    if not isinstance(translations, dict):
        raise StudyError(f"{where}: translations is an object: {{'de': {{'text': …}}}}.")
    for language, own in translations.items():
        if not isinstance(own, dict) or not set(own) <= {"text", "options", "labels"}:
            raise StudyError(f"{where}: the words in {language!r} are text, options and labels.")
        if "text" in own and not _is_text(own["text"]):
            raise StudyError(f"{where}: the text in {language!r} is empty.")
        for field in ("options", "labels"):
            if field in own and (len(_texts(own[field])) != len(entry.get(field, []))):
                raise StudyError(
                    f"{where}: {field} in {language!r} must be as many as in the item itself, "
                    "in the same order."
                )


def _is_text(value: Any) -> bool:
    # An answer is compared without the white space around it.
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value == value.strip()


def _texts(values: Any) -> list[str]:
    """The list of texts that this is; nothing where it is none."""
    return values if isinstance(values, list) and all(map(_is_text, values)) else []
