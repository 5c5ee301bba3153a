"""What a study may decide about its course beyond the paper's: choices, defaults, what is possible.

Every field bears the name of the field of ``Study`` in which it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from survey.errors import StudyError
from survey.protocol import panels, questionnaires

LANGUAGES = ("en", "de", "es", "zh-hans")
#: What of a study is its own words, and may be there in several languages.
WORDS = ("title", "consent_text", "instructions")
LONGEST_TITLE = 200
#: field -> the values it may have
CHOICES: Mapping[str, Sequence[str]] = {
    "pairs": ("every", "balanced"),
    "third_answer": ("", "tie", "unsure"),
    "changes": ("never", "previous", "finish"),
    "entry": ("open", "personal", "panel"),
    "language": ("", *LANGUAGES),
}
#: field -> the smallest and the largest value
RANGES: Mapping[str, tuple[int, int]] = {
    "n_practice": (0, 20),
    "n_checks": (0, 20),
    "checks_to_pass": (0, 20),
    "n_repeats": (0, 100),
    "return_after": (5, 60 * 24 * 366),
    "maximum_profile": (1, 2**31 - 1),
    "era_from": (1870, 2200),
    "era_to": (1870, 2200),
}


@dataclass(frozen=True)
class Protocol:
    #: With more than two arms: ``every`` pair of them on each profile, or one pair on each
    #: profile and every pair on equally many (``balanced`` incomplete blocks).
    pairs: str = "every"
    #: The most ratings a profile may have; None: no limit.
    maximum_profile: int | None = None
    #: The median year of a profile's movies lies from ``era_from`` to ``era_to``; None: any.
    era_from: int | None = None
    era_to: int | None = None
    #: A third answer beside left and right: "" none, ``tie`` (equally relevant) or ``unsure``.
    third_answer: str = ""
    #: How well the appraiser knows each of the two movies.
    ask_familiarity: bool = False
    #: How sure the choice is, from 1 to 5.
    ask_confidence: bool = False
    #: A free comment.
    ask_comment: bool = False
    #: Questions to practise with, before the first that counts.
    n_practice: int = 0
    #: Questions that say which answer to give, and how many of them must be answered so.
    n_checks: int = 0
    checks_to_pass: int = 0
    #: Questions asked once more, with the sides swapped.
    n_repeats: int = 0
    #: Which answers may be changed: ``never`` any, the ``previous`` one, or all until the
    #: ``finish``.
    changes: str = "never"
    #: Minutes without a sign of life after which unanswered questions return to the pool.
    return_after: int = 120
    #: The language of the appraisers' pages; "": the browser's choice among those there are.
    language: str = ""
    #: language -> {"title", "consent_text", "instructions"}: the study's own texts beyond those
    #: of the study itself, which are used wherever a language has none.
    translations: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Who comes in: everybody with the ``open`` link, holders of ``personal`` links, or people
    #: sent by a ``panel``.
    entry: str = "open"
    #: Of a panel: {"parameters": [names in the address], "person": the one that names a person,
    #: "outcomes": {"done" | "screened" | "failed": {"code", "url"}}}; see ``protocol.panels``.
    panel: dict[str, Any] = field(default_factory=dict)
    #: Items of the questionnaires before the first and after the last question.
    before: list[dict[str, Any]] = field(default_factory=list)
    after: list[dict[str, Any]] = field(default_factory=list)
    #: The last day on which one may have one's answers erased; None: at any time.
    withdraw_until: date | None = None

    @classmethod
    def of(cls, study: Any) -> Protocol:
        """The protocol that a study's row holds."""
        return cls(**{each.name: getattr(study, each.name) for each in fields(cls)})

    def check(self) -> None:
        """StudyError unless every value is possible, alone and together with the others."""
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                known = ", ".join(repr(choice) for choice in choices)
                raise StudyError(
                    f"{name} = {getattr(self, name)!r} is not possible. Choose from: {known}."
                )
        for name, (least, most) in RANGES.items():
            number = getattr(self, name)
            if number is not None and not least <= number <= most:
                raise StudyError(f"{name} = {number} is not possible. Choose {least} to {most}.")
        if self.checks_to_pass > self.n_checks:
            raise StudyError(
                f"{self.checks_to_pass} checks cannot be passed where {self.n_checks} are made. "
                "Make more checks, or ask for fewer to be passed."
            )
        if self.entry == "panel":
            panels.check(self.panel)
        elif self.panel:
            raise StudyError(
                f"A panel is described, but entry is {self.entry!r}. Choose entry 'panel', or "
                "leave the panel out."
            )
        for part, items in (("before", self.before), ("after", self.after)):
            try:
                questionnaires.expand(items)
            except StudyError as error:
                raise StudyError(f"The questionnaire {part}: {error}") from error
        for item in self.after:
            if item.get("screens_out"):
                raise StudyError(
                    f"Item {item['name']!r} of the questionnaire after cannot screen out: "
                    "everything is answered by then. Ask it before, or leave screens_out out."
                )
        for language, words in self.translations.items():
            _check_words(language, words)
        if self.era_from and self.era_to and self.era_from > self.era_to:
            raise StudyError(
                f"An era from {self.era_from} to {self.era_to} holds no year. Swap the two."
            )


def _check_words(language: str, words: Any) -> None:
    """StudyError unless these are the study's own words in a language that pages are spoken in."""
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise StudyError(f"translations: no page speaks {language!r}. Choose from: {known}.")
    if not isinstance(words, Mapping):
        raise StudyError(
            f"translations.{language} is no table. Write title, consent_text and so on."
        )
    for name, text in words.items():
        if name not in WORDS:
            raise StudyError(
                f"translations.{language}: a study has no {name!r}. It has: {', '.join(WORDS)}."
            )
        if not isinstance(text, str) or not text.strip():
            raise StudyError(f"translations.{language}.{name} is empty. Write it, or leave it out.")
    if len(words.get("title", "")) > LONGEST_TITLE:
        raise StudyError(
            f"translations.{language}.title is longer than {LONGEST_TITLE} characters. Shorten it."
        )
