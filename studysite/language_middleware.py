"""The language in which a request begins; the survey's views may choose another one."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import translation

#: Where appraisers are. Researchers' pages and the admin speak English.
FOR_APPRAISERS = ("/s/", "/a/", "/i/")


class BrowsersLanguage:
    """On appraisers' pages the browser's choice among those there are, elsewhere English.

    Unlike Django's own middleware it leaves the researchers' half alone, and starts every request
    anew: a language never lasts from one person's request to the next one's on the same thread.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        language = settings.LANGUAGE_CODE
        if request.path_info.startswith(FOR_APPRAISERS):
            language = translation.get_language_from_request(request)
        translation.activate(language)
        return self.get_response(request)
