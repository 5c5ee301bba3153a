"""The questionnaires before and after the questions, one page each."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from survey import access
from survey.errors import StudyClosed
from survey.models import Appraiser, Response, Study
from survey.protocol import questionnaires
from survey.protocol.questionnaires import AskedItem
from survey.selectors.questionnaires import items_of
from survey.services.dropouts import seen
from survey.services.responding import PARTS, respond
from survey.views.page_context import facts
from survey.views.private_pages import holders_page
from survey.wording import languages

__all__ = ["PARTS", "page", "responses"]

#: In front of an item's name in the form, so that no item meets a field of the page's own.
PREFIX = "item-"


@dataclass(frozen=True)
class Field:
    """An item on the page, with what was entered and what is wrong with it."""

    item: AskedItem
    value: str
    problem: str

    @property
    def name(self) -> str:
        return PREFIX + self.item.name


@holders_page
@require_http_methods(["GET", "HEAD", "POST"])
def responses(request: HttpRequest, token: str) -> HttpResponse:
    """Where a questionnaire is sent to; to look at, it is shown at the private link."""
    who = access.appraiser_for_token(token)
    languages.speak(request, who.study, who)
    seen(appraiser=who)
    part = request.POST.get("part", "")
    if part not in Response.Part.values:
        return redirect("appraiser", token=token)
    items = items_of(who.study, part, languages.current())
    sent = {item.name: request.POST.get(PREFIX + item.name, "") for item in items}
    _, problems = questionnaires.read_answers(items, sent)
    # Where the study takes none, what is wrong with the answers matters less than that.
    if problems and (part == Response.Part.AFTER or who.study.takes(who.kind)):
        return page(request, who, token, part, sent=sent, problems=problems)
    try:
        respond(appraiser=who, part=part, items=items, sent=sent)
    except StudyClosed:
        return refused(request, token, part, items, sent)
    return redirect("appraiser", token=token)


def refused(
    request: HttpRequest, token: str, part: str, items: list[AskedItem], sent: dict[str, str]
) -> HttpResponse:
    """Nothing was stored: all of it is still there to be sent again, or its texts to be copied."""
    # As things stand now; Http404 where it is the appraiser who is gone.
    who = access.appraiser_for_token(token)
    if who.study.takes(who.kind) or who.study.status == Study.Status.PAUSED:
        return page(request, who, token, part, sent=sent, unstored=True)
    texts = [sent[item.name].strip() for item in items if item.kind == "text"]
    context = facts(request, who, token) | {
        "late": "questionnaire",
        "unfinished": True,
        "unsaved": "\n\n".join(filter(None, texts)),
    }
    return render(request, "survey/closed.html", context, status=409)


def page(
    request: HttpRequest,
    who: Appraiser,
    token: str,
    part: str,
    *,
    sent: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
    unstored: bool = False,
) -> HttpResponse:
    """A questionnaire; what was entered before stands in it, beside what is wrong with it.

    ``unstored`` where the study was taking a break as it was sent.
    """
    fields = filled_in(who, part, sent or {}, problems or {})
    context = facts(request, who, token) | {
        "part": part,
        "fields": fields,
        "wrong": [field for field in fields if field.problem],
        "unstored": unstored,
    }
    status = 409 if unstored else 400 if problems else 200
    return render(request, "survey/questionnaire.html", context, status=status)


def filled_in(
    who: Appraiser, part: str, sent: dict[str, str], problems: dict[str, str]
) -> list[Field]:
    return [
        Field(item, sent.get(item.name, ""), in_words(item, problems.get(item.name, "")))
        for item in items_of(who.study, part, languages.current())
    ]


def in_words(item: AskedItem, problem: str) -> str:
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
