"""A study's own words in the language of whoever reads them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext

from survey.models import Study
from survey.wording import built_in


@dataclass(frozen=True)
class Words:
    title: str
    consent_text: str
    instructions: str


def words_of(study: Study, language: str) -> Words:
    """The study's words in a language; where it has none in it, those of the study itself."""
    own = study.translations.get(language, {})
    return Words(
        title=own.get("title") or study.title,
        consent_text=own.get("consent_text") or study.consent_text,
        instructions=own.get("instructions") or study.instructions,
    )


def tells_of_entry(study: Study, consent_text: str) -> bool:
    """Whether the consent has the built-in sentence on what the way in tells of who comes."""
    sentence = {"panel": built_in.PANEL, "personal": built_in.PERSONAL}.get(study.entry, "")
    return sentence in consent_text or gettext(sentence) in consent_text


@dataclass(frozen=True)
class Awaits:
    """What one lets oneself in for: ``questions`` to judge, and about so many ``minutes``."""

    questions: int
    minutes: int


def what_awaits(study: Study) -> Awaits:
    questions = study.questions_per_appraiser + study.n_practice + study.n_checks + study.n_repeats
    items = len(study.before) + len(study.after)
    return Awaits(questions, built_in.minutes(questions, items))
