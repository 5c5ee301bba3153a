"""Ways out for an appraiser: a break, and withdrawing for good."""

from contextlib import suppress

from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from survey import access
from survey.errors import StudyClosed
from survey.models import is_past_last_day
from survey.services.dropouts import seen
from survey.services.withdrawing import withdraw
from survey.tokens import token_digest
from survey.views.page_context import facts
from survey.views.private_pages import holders_page, private_page
from survey.wording import languages
from survey.wording.of_study import words_of

SIGNER = signing.Signer(salt="survey.withdraw")


@holders_page
@require_safe
def pause(request: HttpRequest, token: str) -> HttpResponse:
    """How to come back, and how to leave for good."""
    who = access.appraiser_for_token(token)
    languages.speak(request, who.study, who)
    seen(appraiser=who)
    return render(request, "survey/break.html", facts(request, who, token))


@holders_page
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """What withdrawing means; and, once confirmed, the withdrawal."""
    try:
        who = access.appraiser_for_token(token)
    except Http404:
        return erased_before(request, token)
    language = languages.speak(request, who.study, who)
    if request.method == "POST" and "understood" in request.POST:
        with suppress(StudyClosed):  # too late; the page says so
            withdraw(appraiser=who)
            return redirect(f"{reverse('erased', args=[who.study.slug])}?lang={language}")
    late = is_past_last_day(who.study.withdraw_until)
    context = facts(request, who, token) | {
        "answers": who.assignments.exclude(judgment=None).count(),
        "too_late": late,
        "seal": SIGNER.sign(f"{token_digest(token)} {who.study.slug} {language}"),
        "missing": request.method == "POST" and not late,
    }
    return render(
        request, "survey/withdraw.html", context, status=400 if context["missing"] else 200
    )


def erased_before(request: HttpRequest, token: str) -> HttpResponse:
    """A doubled click on the last button leads where the first one did; anything else nowhere.

    The page that asked sealed which link it asked of: nobody needs to remember who left.
    """
    try:
        digest, slug, language = SIGNER.unsign(request.POST.get("seal", "")).split(" ")
    except (signing.BadSignature, ValueError):
        digest = slug = language = ""
    if digest != token_digest(token):
        raise Http404("No such link.")
    return redirect(f"{reverse('erased', args=[slug])}?lang={language}")


@private_page
@require_safe
def erased(request: HttpRequest, slug: str) -> HttpResponse:
    """The same words for everybody: it is not known any more who left."""
    study = access.study_for_visitor(slug)
    words = words_of(study, languages.speak(request, study))
    return render(request, "survey/erased.html", {"study": study, "words": words})
