"""Pages for one person, never cached or indexed: behind a private link, or behind the login."""

from collections.abc import Callable
from functools import partial, wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser, User
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST, require_safe

from survey import access
from survey.errors import StudyError
from survey.models import Appraiser, Study
from survey.wording import languages

View = Callable[..., HttpResponseBase]
FindStudy = Callable[[User | AnonymousUser, str], Study]


class LinkRequest(HttpRequest):
    """A request for a private link with this secret."""

    token: str


def private_page(view: View) -> View:
    """Keep a page out of every cache, the back button's included, and out of search engines."""

    @wraps(view)
    def private(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return private


def _study_view(view: View, *, find: FindStudy, method: Callable[[View], View]) -> View:
    @private_page
    @login_required
    @method
    @wraps(view)
    def page(request: HttpRequest, slug: str) -> HttpResponseBase:
        return view(request, find(request.user, slug))

    return page


#: Researchers' pages of one study; the view takes the study.
study_page = partial(_study_view, find=access.study_for_researcher, method=require_safe)
#: The same for those who may change the study: a page, and where a form is sent.
protected_page = partial(_study_view, find=access.study_to_change, method=require_safe)
study_form = partial(_study_view, find=access.study_to_change, method=require_POST)


def study_change(view: View) -> View:
    """Such a form on the study's page, which reports why a change was refused."""

    @study_form
    @wraps(view)
    def changing(request: HttpRequest, study: Study) -> HttpResponseBase:
        try:
            return view(request, study)
        except StudyError as refusal:
            messages.error(request, str(refusal))
            return redirect("results", slug=study.slug)

    return changing


def _behind_link(view: View, *, posts_only: bool) -> View:
    @wraps(view)
    def page(request: LinkRequest, token: str, **kwargs: object) -> HttpResponseBase:
        request.token = token
        try:
            # HEAD only tells whether the link exists: programs that check the links in a mail
            # are not an appraiser's activity, and have seen no question.
            if request.method == "HEAD" or (posts_only and request.method != "POST"):
                access.appraiser_for_token(token)
                return HttpResponse() if request.method == "HEAD" else redirect("appraiser", token)
            return view(request, access.appraiser_for_token(token), **kwargs)
        except Http404:
            return no_such_link(request)

    return private_page(page)


#: A page behind a private link; the view takes the appraiser.
appraiser_page = partial(_behind_link, posts_only=False)
#: Where such a page sends its form; a GET, such as a reload, leads to the private link.
form_target = partial(_behind_link, posts_only=True)


def no_such_link(request: HttpRequest) -> HttpResponse:
    """The link never existed, or its appraiser was erased; nothing stored tells which."""
    return render(request, "survey/unknown_link.html", status=404)


def page_context(request: LinkRequest, appraiser: Appraiser) -> dict[str, object]:
    """What every page of an appraiser shows; the page is in their language from here on."""
    language = languages.activate_for(request, appraiser.study, appraiser)
    link = reverse("appraiser", args=[request.token])
    return {
        "study": appraiser.study,
        "texts": appraiser.study.texts_in(language),
        "appraiser": appraiser,
        "language": language,
        "languages": languages.choices(appraiser.study),
        "trial": appraiser.kind == Appraiser.Kind.PILOT,
        "token": request.token,
        "go_on_link": link,
        "private_link": request.build_absolute_uri(link),
        "unsaved": request.POST.get("comment", "").strip(),
    }
