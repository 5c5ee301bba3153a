"""The words of a new study, written once in every language there is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.utils import formats, translation
from django.utils.translation import gettext, ngettext

from survey.protocol.fields import LANGUAGES, Protocol
from survey.wording import built_in

ENGLISH = LANGUAGES[0]


@dataclass(frozen=True)
class Wording:
    """The study's own words, and by language those of them that stand there otherwise."""

    title: str
    consent_text: str
    instructions: str
    translations: dict[str, dict[str, str]]


class Catalogue:
    """The words of the language in use; ``complete`` until some have no translation."""

    def __init__(self) -> None:
        self.complete = True

    def one(self, text: str) -> str:
        return self._found(text, gettext(text))

    def several(self, one: str, many: str, number: int) -> str:
        return self._found(one if number == 1 else many, ngettext(one, many, number))

    def _found(self, text: str, translated: str) -> str:
        self.complete = self.complete and translated != text
        return translated


def wording(
    *,
    questions: int,
    protocol: Protocol,
    title: str = "",
    consent_text: str = "",
    instructions: str = "",
) -> Wording:
    """What was given, and for the rest the built-in words, in English and in every language.

    Words that were given in one language are translated by those who gave them, or not at all: a
    consent that says one thing here and another there would be none. A built-in text of which a
    sentence has no translation yet stays English as a whole.
    """
    given = {"title": title, "consent_text": consent_text, "instructions": instructions}
    with translation.override(settings.LANGUAGE_CODE):
        english = _built_in(questions, protocol, None)
    translations = {language: dict(own) for language, own in protocol.translations.items()}
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        with translation.override(language):
            for name, text in _built_in(questions, protocol, language).items():
                if text and not given[name]:
                    translations.setdefault(language, {}).setdefault(name, text)
    words = {name: given[name] or english[name] for name in given}
    return Wording(**words, translations=translations)


def _built_in(questions: int, protocol: Protocol, language: str | None) -> dict[str, str]:
    """The built-in words in the language in use; "" for what it does not have whole."""
    found = {}
    for name in ("title", "consent_text", "instructions"):
        catalogue = Catalogue()
        one, several = catalogue.one, catalogue.several
        if name == "title":
            text = one(built_in.TITLE)
        elif name == "instructions":
            text = built_in.instructions(protocol, gettext=one)
        else:
            day = partial(formats.date_format, format="DATE_FORMAT")
            text = built_in.consent(questions, protocol, gettext=one, ngettext=several, date=day)
        found[name] = text if catalogue.complete or language is None else ""
    return found
