"""The language of a page. Codes are those of ``protocol.fields.LANGUAGES``."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

from survey.models import Appraiser, Study
from survey.protocol.fields import LANGUAGES

#: Django has its own code for the English whose dates and numbers the pages use.
DJANGO_CODES = {"en": settings.LANGUAGE_CODE}


#: Addresses of appraisers' pages.
FOR_APPRAISERS = ("/s/", "/a/", "/i/")


class BrowserLanguage:
    """Middleware: the browser's language on appraisers' pages, English on all other pages.

    Unlike Django's LocaleMiddleware it leaves researchers' pages alone. Every request sets its
    language, so that none is left over from the last request on the same thread.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = settings.LANGUAGE_CODE
        if request.path_info.startswith(FOR_APPRAISERS):
            language = translation.get_language_from_request(request)
        translation.activate(language)
        return self.get_response(request)


def activate_for(request: HttpRequest, study: Study, appraiser: Appraiser | None = None) -> str:
    """Activate the language for the rest of this request, and return its code.

    The study's, else the appraiser's, else that of ``?lang=`` or the form, else the browser's.
    """
    asked = request.POST.get("lang") or request.GET.get("lang") or ""
    chosen = [
        study.language,
        appraiser.language if appraiser else "",
        asked,
        browser_language(request),
    ]
    language = next(code for code in chosen if code in available())
    translation.activate(DJANGO_CODES.get(language, language))
    return language


def browser_language(request: HttpRequest) -> str:
    """The browser's preferred language among those available."""
    return _own_code(translation.get_language_from_request(request))


def active_language() -> str:
    """The active language."""
    return _own_code(translation.get_language() or "en")


def available() -> list[str]:
    """The available languages; the tests add a made-up one to the settings."""
    extra = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
    return [LANGUAGES[0], *extra]


def choices(study: Study) -> list[tuple[str, str]]:
    """Codes and native names to choose from; none where the study fixes the language."""
    if study.language:
        return []
    names = {code: str(translation.get_language_info(code)["name_local"]) for code in available()}
    return [(code, name[:1].upper() + name[1:]) for code, name in names.items()]


def _own_code(language: str) -> str:
    return "en" if language == settings.LANGUAGE_CODE else language
