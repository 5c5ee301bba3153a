"""Everything that a study decides: each option's type, range, default and description, once.

The command's flags, the TOML file, the table in docs/study-protocol.md and the columns of ``Study``
follow from these two models. ``Study`` has a column of the same name for each field.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationInfo,
    model_validator,
)

from survey.errors import StudyError
from survey.protocol.panels import check_panel, expand_preset
from survey.protocol.problems import STRICT, validated
from survey.protocol.questionnaires import expand_items

Language = Literal["en", "de", "es", "zh-hans"]
LANGUAGES = get_args(Language)
LONGEST_TITLE = 200


def read_day(text: str) -> date:
    """A date written as 2026-12-31. StudyError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StudyError(
            f"withdraw_until = {text!r} is not possible. Give year, month and day, such as "
            "2026-12-31."
        ) from None


def read_repeats(text: str, questions: int) -> int:
    """``3``, or ``10%`` of the questions: the nearest whole number, at least one. StudyError."""
    digits = text.removesuffix("%").strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 4:
        raise StudyError(
            f"n_repeats = {text!r} is not possible. Give a number, such as 2, or a share of an "
            "appraiser's questions, such as 10%."
        )
    number = int(digits)
    if not text.endswith("%") or not number:
        return number
    return max(1, (number * questions + 50) // 100)


def _as_day(value: Any) -> Any:
    return read_day(value) if isinstance(value, str) else value


def _as_repeats(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        return value
    return read_repeats(value, (info.context or {}).get("questions", 0))


def _as_items(value: list[dict[str, Any]], info: ValidationInfo) -> list[dict[str, Any]]:
    try:
        return expand_items(value)
    except StudyError as error:
        raise StudyError(f"The questionnaire {info.field_name}: {error}") from error


def _is_written(text: str) -> str:
    if not text.strip():
        raise ValueError("Write the text, or leave it out.")
    return text


Items = Annotated[list[dict[str, Any]], AfterValidator(_as_items)]
StudyText = Annotated[str, AfterValidator(_is_written)]


class StudyPlan(BaseModel):
    """The size of a study, and the seed of everything that is drawn for it."""

    model_config = STRICT

    profiles: int = Field(200, ge=1, le=2**15 - 1, description="profiles to ask about")
    questions: int = Field(15, ge=1, le=2**15 - 1, description="questions for each appraiser")
    appraisers: int = Field(100, ge=1, le=2**15 - 1, description="appraisers wanted: the quota")
    minimum_profile: int = Field(
        5, ge=1, le=2**15 - 1, description="smallest number of ratings in a profile"
    )
    seed: int = Field(0, ge=0, le=2**63 - 1, description="seed of all random draws")

    @classmethod
    def of(cls, study: Any) -> StudyPlan:
        """The plan in a study's row, unchecked."""
        return cls.model_construct(
            profiles=study.n_profiles,
            questions=study.questions_per_appraiser,
            appraisers=study.quota,
            minimum_profile=study.minimum_profile,
            seed=study.seed,
        )


class Protocol(BaseModel):
    """The options of a study. The defaults are the study of the paper."""

    model_config = STRICT

    pairs: Literal["every", "balanced"] = Field(
        "every",
        description="with more than two arms: ask about `every` pair of arms on each profile, or "
        "about one pair on each profile and all pairs equally often (`balanced`)",
    )
    maximum_profile: int | None = Field(
        None, ge=1, le=2**31 - 1, description="largest number of ratings in a profile"
    )
    era_from: int | None = Field(
        None, ge=1870, le=2200, description="earliest median year of a profile's movies"
    )
    era_to: int | None = Field(
        None, ge=1870, le=2200, description="latest median year of a profile's movies"
    )
    third_answer: Literal["", "tie", "unsure"] = Field(
        "",
        description="offer a third answer: both movies fit equally well or badly (`tie`), or "
        "I cannot tell (`unsure`)",
    )
    ask_familiarity: bool = Field(
        False, description="ask how well the appraiser knows each of the two movies"
    )
    ask_confidence: bool = Field(False, description="ask how sure the appraiser is, from 1 to 5")
    ask_comment: bool = Field(False, description="offer a field for a comment")
    n_practice: int = Field(
        0, ge=0, le=20, description="practice questions before the first one that counts"
    )
    n_checks: int = Field(
        0, ge=0, le=20, description="attention checks: questions that say which movie to choose"
    )
    checks_to_pass: int = Field(
        0,
        ge=0,
        le=20,
        description="attention checks that must be answered correctly; unless given, all of them",
    )
    n_repeats: Annotated[int, BeforeValidator(_as_repeats)] = Field(
        0,
        ge=0,
        le=100,
        description="questions asked again with the sides swapped: a number, or a share of an "
        "appraiser's questions, such as `10%`",
    )
    changes: Literal["never", "previous", "finish"] = Field(
        "never",
        description="which answers can be changed: none (`never`), the `previous` one, or all "
        "until the `finish`",
    )
    return_after: int = Field(
        120,
        ge=5,
        le=60 * 24 * 366,
        description="minutes without activity after which unanswered questions return to the pool",
    )
    language: Literal["", Language] = Field(
        "", description="language of all pages; without it, the language of the browser"
    )
    translations: dict[
        Language, dict[Literal["title", "consent_text", "instructions"], StudyText]
    ] = Field(
        {},
        description="the study's own texts in other languages, each in a table such as "
        "`[translations.de]`",
    )
    entry: Literal["open", "personal", "panel"] = Field(
        "open",
        description="who can take part: anyone with the `open` link, holders of `personal` links, "
        "or people sent by a `panel`",
    )
    panel: Annotated[dict[str, Any], BeforeValidator(expand_preset)] = Field(
        {}, description="the panel's parameters and outcomes, in a table `[panel]`"
    )
    before: Items = Field(
        [],
        description="items of the questionnaire before the first question, each in a table "
        "`[[before]]`",
    )
    after: Items = Field(
        [],
        description="items of the questionnaire after the last question, each in a table "
        "`[[after]]`",
    )
    withdraw_until: Annotated[date | None, BeforeValidator(_as_day)] = Field(
        None,
        description="last day on which appraisers can have their answers erased; without it, "
        "at any time",
    )

    @classmethod
    def of(cls, study: Any) -> Protocol:
        """The options in a study's row, unchecked: the row may have been edited."""
        return cls.model_construct(**{name: getattr(study, name) for name in cls.model_fields})

    def check(self) -> None:
        """StudyError unless every value is possible, alone and together with the others."""
        validated(type(self), dict(self))

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.checks_to_pass > self.n_checks:
            raise StudyError(
                f"checks_to_pass = {self.checks_to_pass} is not possible with n_checks = "
                f"{self.n_checks}. Ask more checks, or require fewer."
            )
        if self.era_from and self.era_to and self.era_from > self.era_to:
            raise StudyError(
                f"era_from = {self.era_from} is not possible: it is after era_to = {self.era_to}. "
                "Swap the two."
            )
        if self.entry == "panel":
            check_panel(self.panel)
        elif self.panel:
            raise StudyError(
                f"panel is not possible with entry = {self.entry!r}. Choose entry 'panel', or "
                "leave the panel out."
            )
        for item in self.after:
            if item.get("screens_out"):
                raise StudyError(
                    f"The questionnaire after: Item {item['name']!r} cannot screen out, because "
                    "every question is answered by then. Move it to before, or leave screens_out "
                    "out."
                )
        for language, words in self.translations.items():
            if len(words.get("title", "")) > LONGEST_TITLE:
                raise StudyError(
                    f"translations.{language}.title is longer than {LONGEST_TITLE} characters. "
                    "Shorten it."
                )
        return self
