"""Pages of appraisers; every POST ends in a redirect, so that a reload repeats nothing."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from survey import access
from survey.errors import ChangeRefused, StudyClosed
from survey.forms import FAMILIARITIES, JudgmentForm
from survey.models import Appraiser
from survey.selectors.capacity import wait_for_place
from survey.selectors.next_step import Step, next_step, owes_questionnaire, own_assignments
from survey.selectors.question import answers_listed, own_answers, question_page
from survey.services.answering import COMMENT_LIMIT, AnswerResult, confirm_answers, record_judgment
from survey.services.joining import mark_instructed, set_language
from survey.services.responding import QUESTIONNAIRES
from survey.services.visiting import note_activity, visit
from survey.views.private_pages import LinkRequest, appraiser_page, form_target, page_context
from survey.views.profile_cache import profile_html
from survey.views.responding import questionnaire_page
from survey.wording import languages

NOT_BEGUN = {Step.INSTRUCTIONS, Step.BEFORE}
#: Pages loaded before each form had its own address send them all to the private link.
OLD_FORMS = {"speak": "language", "begin": "begin", "confirm": "confirm"}


@appraiser_page
@gzip_page  # a profile of 2,000 movies shrinks tenfold; Django pads against guessing by length
@require_http_methods(["GET", "HEAD", "POST"])
def private_link(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """The step that is open for the appraiser: instructions, a question, thanks and so on."""
    if request.method == "POST":
        name = next((to for field, to in OLD_FORMS.items() if field in request.POST), "answer")
        return redirect(name, token=request.token, preserve_request=True)
    step, own = visit(appraiser=appraiser)
    if step in QUESTIONNAIRES:
        return questionnaire_page(request, appraiser, QUESTIONNAIRES[step])
    if step is Step.REVIEW:
        return answers_page(request, appraiser)
    if step is Step.CLOSED:
        return closed_page(request, appraiser)
    page = question_page(appraiser, own=own) if step is Step.QUESTION else None
    if page is not None:
        return question_view(request, appraiser, page)
    template = {Step.FULL: "full", Step.INSTRUCTIONS: "instructions"}.get(step, "thanks")
    context = page_context(request, appraiser)
    if step is Step.FULL:
        context["wait"] = wait_for_place(appraiser.study)
    return render(request, f"survey/{template}.html", context)


@form_target
def begin_questions(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    mark_instructed(appraiser=appraiser)
    return redirect("appraiser", token=request.token)


@form_target
def change_language(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    language = request.POST.get("speak", "")
    if language in dict(languages.choices(appraiser.study)):
        set_language(appraiser=appraiser, language=language)
    return redirect("appraiser", token=request.token)


@form_target
def submit_confirmation(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    confirm_answers(appraiser=appraiser)
    return redirect("appraiser", token=request.token)


@form_target
@gzip_page
def submit_answer(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """Record an answer. A repeated or stale one changes nothing, and leads on as well."""
    # The question is shown only after the instructions and the questionnaire before it.
    if appraiser.instructed_at is None or (
        appraiser.study.before and owes_questionnaire(appraiser, "before")
    ):
        access.appraiser_for_token(request.token)  # Http404 if they were erased meanwhile
        return redirect("appraiser", token=request.token)
    form = JudgmentForm(request.POST, study=appraiser.study)
    if form.answer is None:
        return ask_again(request, appraiser, form)
    try:
        result = record_judgment(appraiser=appraiser, **form.answer)
    except StudyClosed:
        return closed_page(request, appraiser, late=True)
    except ChangeRefused:
        return unchanged_page(request, appraiser)
    if result is AnswerResult.TAKEN:
        return render(request, "survey/question_taken.html", page_context(request, appraiser))
    listed = result is AnswerResult.CHANGED and answers_listed(
        appraiser, own_assignments(appraiser)
    )
    return redirect("answers" if listed else "appraiser", token=request.token)


@appraiser_page
@require_safe
def own_answers_page(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """The appraiser's answers, with links to change those that may change."""
    note_activity(appraiser=appraiser)
    if appraiser.study.changes == "never" or appraiser.confirmed_at or appraiser.finished_at:
        return redirect("appraiser", token=request.token)
    return answers_page(request, appraiser)


@appraiser_page
@gzip_page
@require_safe
def change_answer(request: LinkRequest, appraiser: Appraiser, number: int) -> HttpResponse:
    """An answered question again, to change the answer."""
    note_activity(appraiser=appraiser)
    page = question_page(appraiser, number=number)
    return question_view(request, appraiser, page) if page else unchanged_page(request, appraiser)


def question_view(
    request: LinkRequest,
    appraiser: Appraiser,
    page: dict[str, Any],
    form: JudgmentForm | None = None,
) -> HttpResponse:
    """The question, filled in from a refused form or from the answer that is to change."""
    context = page_context(request, appraiser) | {
        "page": page,
        "profile": profile_html(appraiser.study, page["question_id"]),
        "problems": form.problems() if form else [],
        "entered": form.entered() if form else page["given"],
        "familiarities": FAMILIARITIES,
        "comment_limit": COMMENT_LIMIT,
    }
    return render(request, "survey/question.html", context, status=400 if form else 200)


def ask_again(request: LinkRequest, appraiser: Appraiser, form: JudgmentForm) -> HttpResponse:
    """The answered question with everything that was entered, if it is still open."""
    sent, revision = form.assignment_key, form.cleaned_data.get("revision", 0)
    step, own = visit(appraiser=appraiser)
    page = question_page(appraiser, own=own, key=sent if revision > 0 else None)
    if page is None:
        return redirect("appraiser", token=request.token)
    if step is Step.CLOSED:
        return closed_page(request, appraiser, late=True)
    if step in NOT_BEGUN or (sent is not None and str(sent) != page["assignment_key"]):
        return redirect("appraiser", token=request.token)
    return question_view(request, appraiser, page, form)


def answers_page(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """All answers before they are confirmed; or earlier, to change some of them."""
    own = own_assignments(appraiser)
    given = own_answers(appraiser, own)
    context = page_context(request, appraiser) | {
        "answers": given,
        "all_listed": answers_listed(appraiser, own),
        "over": next_step(appraiser, own) is Step.REVIEW,
        "may_change": any(each["may_change"] for each in given),
        "some_fixed": not all(each["may_change"] for each in given),
        "takes_changes": appraiser.study.is_open_for(appraiser.kind),
    }
    return render(request, "survey/answers.html", context)


def unchanged_page(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """An answer that may not change, and why."""
    if not appraiser.study.is_open_for(appraiser.kind):
        return closed_page(request, appraiser, late=True)
    context = page_context(request, appraiser) | {
        "all_listed": answers_listed(appraiser, own_assignments(appraiser))
    }
    return render(request, "survey/unchanged.html", context, status=409)


def closed_page(request: LinkRequest, appraiser: Appraiser, *, late: bool = False) -> HttpResponse:
    # The study may have ended since this request began, and the page shows its status.
    appraiser.study.refresh_from_db(fields=["status"])
    if appraiser.study.is_open_for(appraiser.kind):
        # Either the study goes on again, or the appraiser was erased, which raises Http404.
        access.appraiser_for_token(request.token)
        return redirect("appraiser", token=request.token)
    unfinished = next_step(appraiser) is Step.CLOSED
    context = page_context(request, appraiser) | {"late": late, "unfinished": unfinished}
    return render(request, "survey/closed.html", context, status=409 if late else 200)
