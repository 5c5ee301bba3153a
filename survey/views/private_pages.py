"""Pages that belong to one person: never stored, never indexed; and those behind a private link."""

from collections.abc import Callable
from functools import wraps

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from survey import access

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


def holders_page(view: View) -> View:
    """A private page at a private link.

    HEAD only says whether there is one: programs that try the links in a mail are no sign of life,
    and have seen no question. Where there is none it may have been erased; nobody knows any more.
    """

    @wraps(view)
    def held(request: HttpRequest, token: str, *args: object, **kwargs: object) -> HttpResponseBase:
        try:
            if request.method == "HEAD":
                access.appraiser_for_token(token)
                return HttpResponse()
            return view(request, token, *args, **kwargs)
        except Http404:
            return render(request, "survey/gone.html", status=404)

    return private_page(held)
