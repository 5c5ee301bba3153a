"""Ways out for an appraiser: a break, and withdrawing for good."""

from contextlib import suppress

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from survey import access
from survey.errors import StudyClosed
from survey.models import Appraiser, is_past_last_day
from survey.services.outcomes import outcome_to_keep
from survey.services.visiting import note_activity
from survey.services.withdrawing import withdraw
from survey.tokens import token_digest
from survey.views import device
from survey.views.private_pages import (
    LinkRequest,
    appraiser_page,
    no_such_link,
    page_context,
    private_page,
)
from survey.wording import languages

SIGNER = signing.Signer(salt="survey.withdraw")


@appraiser_page
@require_safe
def break_page(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """How to come back, and how to leave for good."""
    note_activity(appraiser=appraiser)
    return render(request, "survey/break.html", page_context(request, appraiser))


@private_page
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw_page(request: LinkRequest, token: str) -> HttpResponse:
    """What withdrawing means; and, once confirmed, the withdrawal."""
    request.token = token
    try:
        appraiser = access.appraiser_for_token(token)
    except Http404:
        return already_erased(request, token)
    context = page_context(request, appraiser)
    slug, language = appraiser.study.slug, context["language"]
    if "understood" in request.POST:
        with suppress(StudyClosed):  # too late; the page says so
            withdraw(appraiser=appraiser)
            response = redirect(f"{reverse('erased', args=[slug])}?lang={language}")
            device.forget(response, slug)
            return response
    late = is_past_last_day(appraiser.study.withdraw_until)
    missing = request.method == "POST" and not late
    context |= {
        "answers": appraiser.assignments.exclude(judgment=None).count(),
        "too_late": late,
        "past_outcome": outcome_to_keep(appraiser),
        "seal": SIGNER.sign(f"{token_digest(token)} {slug} {language}"),
        "missing": missing,
    }
    return render(request, "survey/withdraw.html", context, status=400 if missing else 200)


def already_erased(request: HttpRequest, token: str) -> HttpResponse:
    """A double click on the last button ends like the first click; no other request does.

    The form holds a signature over the link it belongs to, so nothing needs to be stored about
    who withdrew.
    """
    try:
        digest, slug, language = SIGNER.unsign(request.POST.get("seal", "")).split(" ")
    except (signing.BadSignature, ValueError):
        digest = slug = language = ""
    if digest != token_digest(token):
        return no_such_link(request)
    response = redirect(f"{reverse('erased', args=[slug])}?lang={language}")
    # The answer to the first click, which deletes it too, may not have reached the browser.
    device.forget(response, slug)
    return response


@private_page
@require_safe
def erased_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The same page for everybody: who withdrew is not stored."""
    study = access.study_for_visitor(slug)
    texts = study.texts_in(languages.activate_for(request, study))
    return render(request, "survey/erased.html", {"study": study, "texts": texts})
