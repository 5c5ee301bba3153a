"""Pages of appraisers; each POST leads on by a redirect, so that a reload repeats nothing."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from survey import access, figures, selectors, services
from survey.errors import StudyClosed, StudyFull
from survey.forms import JudgmentForm
from survey.models import Appraiser, Study
from survey.views.private import private_page


@private_page
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest, slug: str) -> HttpResponse:
    """The consent text; accepting it makes an appraiser, looking at it makes nothing."""
    study = access.study_for_visitor(slug)
    if request.method == "POST":
        # What was agreed to decides: an answer meant for a trial never counts, nor the reverse.
        trial = "trial" in request.POST
        kind = Appraiser.Kind.PILOT if trial else Appraiser.Kind.REAL
        return join(study, kind=kind, ticket=request.POST.get("ticket", ""))
    trial = study.takes(Appraiser.Kind.PILOT)
    if not trial and not study.takes(Appraiser.Kind.REAL):
        return render(request, "survey/closed.html", {"study": study})
    page = "survey/door.html" if selectors.places_left(study) else "survey/full.html"
    context = {"study": study, "trial": trial, "ticket": services.new_ticket()}
    return render(request, page, context)


def join(study: Study, *, kind: str, ticket: str) -> HttpResponse:
    try:
        _, token = services.join_study(study=study, kind=kind, ticket=ticket)
    except (StudyFull, StudyClosed):
        # The door says which of the two it is.
        return redirect("study", slug=study.slug)
    return redirect("appraiser", token=token)


@private_page
@gzip_page  # a profile of 2,000 movies shrinks tenfold; Django pads against guessing by length
@require_http_methods(["GET", "HEAD", "POST"])
def appraiser(request: HttpRequest, token: str) -> HttpResponse:
    """Whatever comes next for the holder of this link: instructions, a question or thanks."""
    who = access.appraiser_for_token(token)
    if request.method == "POST":
        return take(request, who, token)
    return next_page(request, who, token)


def take(request: HttpRequest, who: Appraiser, token: str) -> HttpResponse:
    """Store what was sent. A double, stale or late answer changes nothing and leads on too."""
    if "begin" in request.POST:
        services.begin(appraiser=who)
        return redirect("appraiser", token=token)
    form = JudgmentForm(request.POST)
    if not form.is_valid():
        problem = "That was not one of the two. Please choose again."
        return next_page(request, who, token, problem=problem)
    with suppress(StudyClosed):  # the page that follows says so
        services.record_judgment(
            appraiser=who,
            assignment_key=form.cleaned_data["assignment"],
            choice=form.cleaned_data["choice"],
            visible_ms=form.cleaned_data["visible_ms"],
        )
    return redirect("appraiser", token=token)


def next_page(
    request: HttpRequest, who: Appraiser, token: str, *, problem: str = ""
) -> HttpResponse:
    trial = who.kind == Appraiser.Kind.PILOT
    context: dict[str, object] = {"study": who.study, "appraiser": who, "trial": trial}
    page = selectors.question_page(who)
    if page is None:
        return render(request, "survey/thanks.html", context)
    if not who.study.takes(who.kind):
        return render(request, "survey/closed.html", context)
    if who.instructed_at is None:
        context["private_link"] = request.build_absolute_uri(reverse("appraiser", args=[token]))
        return render(request, "survey/instructions.html", context)
    services.mark_shown(appraiser=who, assignment_key=page.assignment_key)
    context |= {"page": page, "bars": figures.star_bars(page.profile), "problem": problem}
    return render(request, "survey/question.html", context, status=400 if problem else 200)
