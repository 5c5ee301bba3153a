"""In which language a study speaks to one who looks at it."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from survey.models import Appraiser, Study
from survey.protocol.fields import LANGUAGES

#: The English of Django's dates and numbers.
DJANGOS_NAMES = {"en": settings.LANGUAGE_CODE}


def speak(request: HttpRequest, study: Study, appraiser: Appraiser | None = None) -> str:
    """Let the rest of this request speak the study's language, and say which one it is.

    The study's own, where it has one; else that of the appraiser; else what ``?lang=`` or the
    form asks for; else the browser's first among those there are.
    """
    asked = request.POST.get("lang") or request.GET.get("lang") or ""
    chosen = [study.language, appraiser.language if appraiser else "", asked, spoken(request)]
    language = next(code for code in chosen if code in known())
    translation.activate(DJANGOS_NAMES.get(language, language))
    return language


def spoken(request: HttpRequest) -> str:
    """The browser's language in our words."""
    language = translation.get_language_from_request(request)
    return "en" if language == settings.LANGUAGE_CODE else language


def current() -> str:
    """The language of the page that is being made, in our words."""
    language = translation.get_language() or "en"
    return "en" if language == settings.LANGUAGE_CODE else language


def known() -> list[str]:
    """What can be spoken here; the tests add a language that nobody speaks."""
    extra = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
    return [LANGUAGES[0], *extra]


def choices(study: Study) -> list[tuple[str, str]]:
    """(code, its name in the language itself) to choose from; none where the study decides."""
    if study.language:
        return []
    names = {code: str(translation.get_language_info(code)["name_local"]) for code in known()}
    return [(code, names[code][:1].upper() + names[code][1:]) for code in known()]
