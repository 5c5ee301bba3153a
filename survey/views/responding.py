"""The questionnaires before and after the questions, one page each."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext

from survey import access
from survey.errors import StudyClosed
from survey.models import Appraiser, Response, Study
from survey.protocol import questionnaires
from survey.protocol.questionnaires import AskedItem
from survey.selectors.questionnaires import items_of
from survey.services.responding import respond
from survey.services.visiting import note_activity
from survey.views.private_pages import LinkRequest, form_target, page_context
from survey.wording import languages

#: Precedes an item's name in the form, so that no item collides with the page's own fields.
PREFIX = "item-"


@form_target
def submit_responses(request: LinkRequest, appraiser: Appraiser) -> HttpResponse:
    """Record a questionnaire; the private link shows it again where answers are missing."""
    note_activity(appraiser=appraiser)
    part = request.POST.get("part", "")
    if part not in Response.Part.values:
        return redirect("appraiser", token=request.token)
    items = items_of(
        appraiser.study, part, languages.activate_for(request, appraiser.study, appraiser)
    )
    sent = {item.name: request.POST.get(PREFIX + item.name, "") for item in items}
    _, problems = questionnaires.read_answers(items, sent)
    # In a study that takes no answers that is said first.
    if problems and (part == Response.Part.AFTER or appraiser.study.is_open_for(appraiser.kind)):
        return questionnaire_page(request, appraiser, part, sent=sent, problems=problems)
    try:
        respond(appraiser=appraiser, part=part, items=items, sent=sent)
    except StudyClosed:
        return not_stored(request, part, items, sent)
    return redirect("appraiser", token=request.token)


def not_stored(
    request: LinkRequest, part: str, items: list[AskedItem], sent: dict[str, str]
) -> HttpResponse:
    """Show what was not stored: to send it again later, or to copy the texts."""
    # The current status of the study; Http404 if the appraiser was erased.
    appraiser = access.appraiser_for_token(request.token)
    if appraiser.study.is_open_for(appraiser.kind) or appraiser.study.status == Study.Status.PAUSED:
        return questionnaire_page(request, appraiser, part, sent=sent, unstored=True)
    texts = [sent[item.name].strip() for item in items if item.kind == "text"]
    context = page_context(request, appraiser) | {
        "late": "questionnaire",
        "unfinished": True,
        "unsaved": "\n\n".join(filter(None, texts)),
    }
    return render(request, "survey/closed.html", context, status=409)


def questionnaire_page(
    request: LinkRequest,
    appraiser: Appraiser,
    part: str,
    *,
    sent: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
    unstored: bool = False,
) -> HttpResponse:
    """A questionnaire, with what was entered before and what is wrong with it.

    ``unstored``: it was sent while the study was paused.
    """
    context = page_context(request, appraiser)
    fields = filled_in(appraiser, part, sent or {}, problems or {})
    context |= {
        "part": part,
        "fields": fields,
        "wrong": [field for field in fields if field["problem"]],
        "unstored": unstored,
    }
    status = 409 if unstored else 400 if problems else 200
    return render(request, "survey/questionnaire.html", context, status=status)


def filled_in(
    appraiser: Appraiser, part: str, sent: dict[str, str], problems: dict[str, str]
) -> list[dict[str, Any]]:
    """Each ``item`` on the page with its ``name``, what was entered and what is wrong with that."""
    return [
        {
            "item": item,
            "name": PREFIX + item.name,
            "value": sent.get(item.name, ""),
            "problem": problem_text(item, problems.get(item.name, "")),
        }
        for item in items_of(appraiser.study, part, languages.active_language())
    ]


def problem_text(item: AskedItem, problem: str) -> str:
    words = {
        "required": gettext("Please answer this."),
        "unknown": gettext("Please choose one of the answers."),
        "number": gettext("Please write a number, in digits."),
        "low": gettext("Please write a number of at least %(number)s."),
        "high": gettext("Please write a number of at most %(number)s."),
        "long": gettext("Please write less: there is room for %(number)s characters."),
    }
    bound = {"low": item.minimum, "high": item.maximum, "long": questionnaires.LONGEST_ANSWER}
    number = bound.get(problem)
    written = number_format(f"{number:g}") if number is not None else ""
    return words[problem] % {"number": written} if problem else ""
