"""Everything that a study decides: each option's type, range, default and description, once.

The command's flags, the TOML file, the table in docs/study-protocol.md and the columns of ``Study``
follow from these two models. The text under a field is its description everywhere.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from recommender.options import StrictModel
from survey.errors import StudyError
from survey.protocol.panels import check_panel, expand_preset
from survey.protocol.problems import validated
from survey.protocol.questionnaires import expand_items

Language = Literal["en", "de", "es", "zh-hans"]
LANGUAGES = get_args(Language)
LONGEST_TITLE = 200

Amount = Annotated[int, Field(ge=1, le=2**15 - 1)]
UpTo20 = Annotated[int, Field(ge=0, le=20)]
Year = Annotated[int | None, Field(ge=1870, le=2200)]
StudyText = Annotated[str, Field(pattern=r"\S")]


def read_day(text: str, option: str = "withdraw_until") -> date:
    """A date written as 2026-12-31. StudyError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StudyError(
            f"{option} = {text!r} is not possible. Give a date such as 2026-12-31."
        ) from None


class StudyPlan(StrictModel):
    """The size of a study, and the seed of everything that is drawn for it."""

    profiles: Amount = 200
    """profiles to ask about"""
    questions: Amount = 15
    """questions for each appraiser"""
    appraisers: Amount = 100
    """appraisers wanted: the quota"""
    minimum_profile: Amount = 5
    """smallest number of ratings in a profile"""
    seed: int = Field(0, ge=0, le=2**63 - 1)
    """seed of all random draws"""

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


class Protocol(StrictModel):
    """The options of a study, named as the columns of ``Study``. The defaults are the paper's."""

    pairs: Literal["every", "balanced"] = "every"
    """with more than two arms: ask about `every` pair of arms on each profile, or about one pair
    on each profile and all pairs equally often (`balanced`)"""
    maximum_profile: int | None = Field(None, ge=1, le=2**31 - 1)
    """largest number of ratings in a profile"""
    era_from: Year = None
    """earliest median year of a profile's movies"""
    era_to: Year = None
    """latest median year of a profile's movies"""
    third_answer: Literal["", "tie", "unsure"] = ""
    """offer a third answer: both movies fit equally well or badly (`tie`), or I cannot tell
    (`unsure`)"""
    ask_familiarity: bool = False
    """ask how well the appraiser knows each of the two movies"""
    ask_confidence: bool = False
    """ask how sure the appraiser is, from 1 to 5"""
    ask_comment: bool = False
    """offer a field for a comment"""
    n_practice: UpTo20 = 0
    """practice questions before the first one that counts"""
    n_checks: UpTo20 = 0
    """attention checks: questions that say which movie to choose"""
    checks_to_pass: UpTo20 = 0
    """attention checks that must be answered correctly; unless given, all of them"""
    n_repeats: int = Field(0, ge=0, le=100)
    """questions asked again with the sides swapped: a number, or a share of an appraiser's
    questions, such as `10%`"""
    changes: Literal["never", "previous", "finish"] = "never"
    """which answers can be changed: none (`never`), the `previous` one, all until the `finish`"""
    return_after: int = Field(120, ge=5, le=60 * 24 * 366)
    """minutes without activity after which unanswered questions return to the pool"""
    language: Literal["", Language] = ""
    """language of all pages; without it, the language of the browser"""
    translations: dict[
        Language, dict[Literal["title", "consent_text", "instructions"], StudyText]
    ] = {}
    """the study's own texts in other languages, each in a table such as `[translations.de]`"""
    entry: Literal["open", "personal", "panel"] = "open"
    """who can take part: anyone with the `open` link, holders of `personal` links, or people sent
    by a `panel`"""
    panel: dict[str, Any] = {}
    """the panel's parameters and outcomes, in a table `[panel]`"""
    before: list[dict[str, Any]] = []
    """items of the questionnaire before the first question, each in a table `[[before]]`"""
    after: list[dict[str, Any]] = []
    """items of the questionnaire after the last question, each in a table `[[after]]`"""
    withdraw_until: date | None = None
    """last day on which appraisers can have their answers erased; without it, at any time"""
    retain_until: date | None = None
    """last day on which a panel's person is recognised by a digest after their answers were
    erased, so that nobody takes part twice; without it, as long as the study exists"""

    @classmethod
    def of(cls, study: Any) -> Protocol:
        """The options in a study's row, unchecked: the row may have been edited."""
        return cls.model_construct(**{name: getattr(study, name) for name in cls.model_fields})

    def check(self) -> None:
        """StudyError unless every value is possible, alone and together with the others."""
        validated(type(self), dict(self))

    @field_validator("n_repeats", mode="before")
    @classmethod
    def _read_repeats(cls, value: Any, info: ValidationInfo) -> Any:
        """A share of ``questions`` in the context is rounded, but is at least one question."""
        if not isinstance(value, str):
            return value
        digits = value.removesuffix("%").strip()
        if not (digits.isascii() and digits.isdecimal()) or len(digits) > 4:
            raise ValueError("Give a number, such as 2, or a share of the questions, such as 10%.")
        if not value.endswith("%") or not int(digits):
            return int(digits)
        return max(1, (int(digits) * (info.context or {})["questions"] + 50) // 100)

    @field_validator("withdraw_until", "retain_until", mode="before")
    @classmethod
    def _read_day(cls, value: Any, info: ValidationInfo) -> Any:
        return read_day(value, str(info.field_name)) if isinstance(value, str) else value

    @field_validator("panel")
    @classmethod
    def _expand_preset(cls, value: dict[str, Any]) -> dict[str, Any]:
        return expand_preset(value)

    @field_validator("before", "after")
    @classmethod
    def _expand_items(cls, value: Any, info: ValidationInfo) -> list[dict[str, Any]]:
        try:
            return expand_items(value)
        except StudyError as error:
            raise StudyError(f"The questionnaire {info.field_name}: {error}") from error

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
        if self.retain_until and self.entry != "panel":
            raise StudyError(
                f"retain_until = {self.retain_until} is not possible with entry = "
                f"{self.entry!r}: only a panel's people are recognised. Leave it out."
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
