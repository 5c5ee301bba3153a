"""A study's own texts: written when the study is prepared, and read in a language."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext, ngettext

from survey.models import TEXTS, Study
from survey.protocol.fields import LANGUAGES, Protocol
from survey.wording import built_in


@dataclass(frozen=True)
class StudyTexts:
    """``translations``: language -> those of the texts that the study has in it."""

    title: str = ""
    consent_text: str = ""
    instructions: str = ""
    translations: dict[str, Any] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in TEXTS}


def write_texts(
    own: StudyTexts, *, questions: int, protocol: Protocol, about_movies: bool = True
) -> StudyTexts:
    """The study's own texts, and built-in ones for those that it lacks, in every language.

    An own text is never combined with a built-in translation, because the two could differ in
    what the appraiser agrees to. A built-in text with an untranslated sentence stays English.
    """
    with translation.override(settings.LANGUAGE_CODE):
        english, _ = built_in_texts(questions, protocol, about_movies=about_movies)
    translations: dict[str, Any] = {
        language: dict(texts) for language, texts in protocol.translations.items()
    }
    for language in LANGUAGES[1:]:
        with translation.override(language):
            texts, translated = built_in_texts(questions, protocol, about_movies=about_movies)
        for name in translated:
            if not own.given[name]:
                translations.setdefault(language, {}).setdefault(name, texts[name])
    texts = {name: text or english[name] for name, text in own.given.items()}
    return StudyTexts(**texts, translations=translations)


def consent_mentions_entry(study: Study, consent_text: str) -> bool:
    """Whether the consent has the built-in sentence on what the panel or the link reveals."""
    sentence = {"panel": built_in.PANEL, "personal": built_in.PERSONAL}.get(study.entry, "")
    return _mentions(consent_text, sentence)


def consent_mentions_past(study: Study, consent_text: str) -> bool:
    """Whether the consent says what stays of a panel's person after an erasure."""
    return study.entry != "panel" or _mentions(consent_text, built_in.ERASE_PANEL)


def _mentions(text: str, sentence: str) -> bool:
    return sentence in text or gettext(sentence) in text


def expected_effort(study: Study) -> dict[str, int]:
    """What an appraiser is asked for: ``questions``, and about so many ``minutes``."""
    questions = study.questions_per_appraiser + study.n_practice + study.n_checks + study.n_repeats
    items = len(study.before) + len(study.after)
    return {"questions": questions, "minutes": built_in.estimate_minutes(questions, items)}


class _Translator:
    """Translates into the active language; ``complete`` until a text has no translation."""

    def __init__(self, *, about_movies: bool) -> None:
        self.complete = True
        self._instead = {} if about_movies else built_in.OTHER_ITEMS

    def one(self, text: str) -> str:
        text = self._instead.get(text, text)
        return self._noting(text, gettext(text))

    def several(self, one: str, many: str, number: int) -> str:
        return self._noting(one if number == 1 else many, ngettext(one, many, number))

    def _noting(self, text: str, translated: str) -> str:
        self.complete = self.complete and translated != text
        return translated


def built_in_texts(
    questions: int, protocol: Protocol, *, about_movies: bool = True
) -> tuple[dict[str, str], set[str]]:
    """The built-in texts in the active language, and the names of those fully translated."""
    found, translated = {}, set()
    day = partial(formats.date_format, format="DATE_FORMAT")
    for name in TEXTS:
        words = _Translator(about_movies=about_movies)
        if name == "title":
            found[name] = words.one(built_in.TITLE)
        elif name == "instructions":
            found[name] = built_in.write_instructions(protocol, gettext=words.one)
        else:
            found[name] = built_in.write_consent(
                questions, protocol, gettext=words.one, ngettext=words.several, date=day
            )
        if words.complete:
            translated.add(name)
    return found, translated
