"""Pages of appraisers; each POST leads on by a redirect, so that a reload repeats nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from survey import access
from survey.errors import ChangeRefused, StudyClosed
from survey.forms import FAMILIARITIES, JudgmentForm, asks_more
from survey.models import Appraiser
from survey.selectors.next_step import Step, next_step
from survey.selectors.question import QuestionPage, answers_listed, own_answers, question_page
from survey.services.answering import (
    COMMENT_LIMIT,
    Outcome,
    confirm_answers,
    mark_shown,
    record_judgment,
)
from survey.services.dropouts import come_back, seen
from survey.services.joining import begin, speak_to
from survey.views import responding
from survey.views.page_context import facts
from survey.views.private_pages import holders_page
from survey.views.profile_cache import profile_html
from survey.wording import languages


@holders_page
@gzip_page  # a profile of 2,000 movies shrinks tenfold; Django pads against guessing by length
@require_http_methods(["GET", "HEAD", "POST"])
def appraiser(request: HttpRequest, token: str) -> HttpResponse:
    """Whatever comes next for the holder of this link: instructions, a question or thanks."""
    who = holder(request, token)
    if request.POST.get("speak"):
        return speak(request, who, token)
    if request.method == "POST":
        return take(request, who, token)
    return next_page(request, who, token)


@holders_page
@require_safe
def answers(request: HttpRequest, token: str) -> HttpResponse:
    """One's own answers, with a way to change those that may change."""
    who = holder(request, token)
    if who.study.changes == "never" or who.confirmed_at or who.finished_at:
        return redirect("appraiser", token=token)
    return review(request, who, token)


@holders_page
@gzip_page
@require_safe
def change(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """A question that was answered, once more; its form goes where all answers go."""
    who = holder(request, token)
    page = question_page(who, number=number)
    return question(request, who, token, page) if page else kept(request, who, token)


def holder(request: HttpRequest, token: str) -> Appraiser:
    """Who has this private link and shows a sign of life; the page speaks their language."""
    who = access.appraiser_for_token(token)
    languages.speak(request, who.study, who)
    seen(appraiser=who)
    return who


def speak(request: HttpRequest, who: Appraiser, token: str) -> HttpResponse:
    """Another language from now on, where the study leaves the choice."""
    language = request.POST["speak"]
    if language in dict(languages.choices(who.study)):
        speak_to(appraiser=who, language=language)
    return redirect("appraiser", token=token)


def take(request: HttpRequest, who: Appraiser, token: str) -> HttpResponse:
    """Store what was sent. A doubled or stale answer changes nothing and leads on too."""
    if "begin" in request.POST:
        begin(appraiser=who)
        return redirect("appraiser", token=token)
    if "confirm" in request.POST:
        confirm_answers(appraiser=who)
        return redirect("appraiser", token=token)
    if next_step(who) in {Step.INSTRUCTIONS, Step.BEFORE}:
        # Http404 for one who withdrew this moment: without answers it looks as if none were given.
        access.appraiser_for_token(token)
        return redirect("appraiser", token=token)
    form = JudgmentForm(request.POST, study=who.study)
    if not form.is_valid():
        return ask_again(request, who, token, form)
    try:
        outcome = record_judgment(appraiser=who, **form.answer())
    except StudyClosed:
        return closed(request, who, token, late=True)
    except ChangeRefused:
        return kept(request, who, token)
    if outcome is Outcome.TAKEN:
        return render(request, "survey/meanwhile.html", frame(request, who, token))
    listed = outcome is Outcome.CHANGED and answers_listed(who)
    return redirect("answers" if listed else "appraiser", token=token)


def next_page(request: HttpRequest, who: Appraiser, token: str) -> HttpResponse:
    come_back(appraiser=who)
    step = next_step(who)
    if step is Step.FULL:
        return render(request, "survey/full.html", frame(request, who, token))
    if step is Step.CLOSED:
        return closed(request, who, token)
    if step is Step.INSTRUCTIONS:
        return render(request, "survey/instructions.html", frame(request, who, token))
    if step is Step.REVIEW:
        return review(request, who, token)
    if step in responding.PARTS:
        return responding.page(request, who, token, responding.PARTS[step])
    page = question_page(who) if step is Step.QUESTION else None
    if page is not None:
        return question(request, who, token, page)
    return render(request, "survey/thanks.html", frame(request, who, token))


def question(
    request: HttpRequest,
    who: Appraiser,
    token: str,
    page: QuestionPage,
    form: JudgmentForm | None = None,
) -> HttpResponse:
    """The question, with what a refused form held, or with the answer that is to be changed."""
    mark_shown(appraiser=who, assignment_key=page.assignment_key)
    context = frame(request, who, token) | {
        "page": page,
        "profile": profile_html(who.study, page.question_id),
        "problems": form.problems() if form else [],
        "entered": form.entered() if form else page.given,
        "several": asks_more(who.study),
        "familiarities": FAMILIARITIES,
        "comment_limit": COMMENT_LIMIT,
    }
    return render(request, "survey/question.html", context, status=400 if form else 200)


def ask_again(request: HttpRequest, who: Appraiser, token: str, form: JudgmentForm) -> HttpResponse:
    """The question that was answered, with all that was entered; another one where it is over."""
    sent, revision = form.assignment_key, form.cleaned_data.get("revision", 0)
    page = question_page(who, key=sent if revision > 0 else None)
    if page is None:
        return redirect("appraiser", token=token)
    if not who.study.takes(who.kind):
        return closed(request, who, token, late=True)
    if sent is not None and str(sent) != page.assignment_key:
        return redirect("appraiser", token=token)
    return question(request, who, token, page, form)


def review(request: HttpRequest, who: Appraiser, token: str) -> HttpResponse:
    """All that was answered, before it is said to be final; or in between, to change some of it."""
    given = own_answers(who)
    context = frame(request, who, token) | {
        "answers": given,
        "all_listed": answers_listed(who),
        "over": next_step(who) is Step.REVIEW,
        "may_change": any(each.may_change for each in given),
        "some_stay": not all(each.may_change for each in given),
        "takes_changes": who.study.takes(who.kind),
    }
    return render(request, "survey/answers.html", context)


def kept(request: HttpRequest, who: Appraiser, token: str) -> HttpResponse:
    """An answer that may not change, and why."""
    if not who.study.takes(who.kind):
        return closed(request, who, token, late=True)
    context = frame(request, who, token) | {"all_listed": answers_listed(who)}
    return render(request, "survey/kept.html", context, status=409)


def closed(request: HttpRequest, who: Appraiser, token: str, *, late: bool = False) -> HttpResponse:
    # It may have ended since this request began, and the page says how the study stands.
    who.study.refresh_from_db(fields=["status"])
    if who.study.takes(who.kind):
        # Http404 where it is the appraiser who is gone; else the study goes on again.
        access.appraiser_for_token(token)
        return redirect("appraiser", token=token)
    context = frame(request, who, token) | {
        "late": late,
        "unfinished": next_step(who) is Step.CLOSED,
    }
    return render(request, "survey/closed.html", context, status=409 if late else 200)


def frame(request: HttpRequest, who: Appraiser, token: str) -> dict[str, object]:
    """What every page here may show, beside what all pages of an appraiser know."""
    return facts(request, who, token) | {
        "answers_link": reverse("answers", args=[token]),
        "unsaved": request.POST.get("comment", "").strip(),
    }
