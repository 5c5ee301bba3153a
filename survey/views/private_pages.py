"""Pages for one person: never cached or indexed; those of appraisers are behind a private link."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from survey import access
from survey.models import Appraiser
from survey.wording import languages
from survey.wording.of_study import words_of

View = Callable[..., HttpResponseBase]


def private_page(view: View) -> View:
    """Keep a page out of every cache, the back button's included, and out of search engines."""

    @wraps(view)
    def private(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return private


def appraiser_page(view: View) -> View:
    """A page behind a private link; the view takes the appraiser and the token."""
    return _behind_link(view, posts_only=False)


def form_target(view: View) -> View:
    """Where such a page sends its form; a GET, such as a reload, leads to the private link."""
    return _behind_link(view, posts_only=True)


def _behind_link(view: View, *, posts_only: bool) -> View:
    @wraps(view)
    def page(request: HttpRequest, token: str, **kwargs: object) -> HttpResponseBase:
        try:
            # HEAD only tells whether the link exists: programs that check the links in a mail
            # are not an appraiser's activity, and have seen no question.
            if request.method == "HEAD" or (posts_only and request.method != "POST"):
                access.appraiser_for_token(token)
                return HttpResponse() if request.method == "HEAD" else redirect("appraiser", token)
            return view(request, access.appraiser_for_token(token), token, **kwargs)
        except Http404:
            return no_such_link(request)

    return private_page(page)


def no_such_link(request: HttpRequest) -> HttpResponse:
    """The link never existed, or its appraiser was erased; nothing stored tells which."""
    return render(request, "survey/gone.html", status=404)


def page_context(request: HttpRequest, who: Appraiser, token: str) -> dict[str, object]:
    """What every page of an appraiser shows; the page is in their language from here on."""
    language = languages.speak(request, who.study, who)
    link = reverse("appraiser", args=[token])
    return {
        "study": who.study,
        "words": words_of(who.study, language),
        "appraiser": who,
        "language": language,
        "languages": languages.choices(who.study),
        "trial": who.kind == Appraiser.Kind.PILOT,
        "token": token,
        "go_on_link": link,
        "private_link": request.build_absolute_uri(link),
        "unsaved": request.POST.get("comment", "").strip(),
    }
