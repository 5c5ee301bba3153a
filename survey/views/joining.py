"""Start page and consent page of a study; only accepting the consent stores anything."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from survey import access
from survey.errors import AlreadyEnded, NotInvited, StudyClosed, StudyFull
from survey.models import Appraiser, Study
from survey.selectors.admission import earlier_visit
from survey.selectors.capacity import kind_joining, places_left, wait_for_place
from survey.selectors.recruiting import return_with
from survey.services.joining import consent_version, join_study
from survey.services.visiting import note_panel_visit, note_return
from survey.tokens import new_token
from survey.views import device
from survey.views.private_pages import View, private_page
from survey.wording import languages
from survey.wording.nouns import nouns_of
from survey.wording.of_study import (
    consent_mentions_entry,
    consent_mentions_past,
    expected_effort,
)


@dataclass(frozen=True)
class Entry:
    """An entry to a study: the addresses of its two pages, and what the visitor brings.

    ``invitation`` is a personal link's secret, ``panel`` all values of each name in the query
    string. The query string of the first page (a language, a panel's parameters) is passed on to
    the second.
    """

    study: Study
    language: str
    start: str
    consent: str
    invitation: str
    panel: Mapping[str, Sequence[str]]


def entry_page(view: Callable[[HttpRequest, Entry], HttpResponse]) -> View:
    """A page of the open link, which has the study's ``slug``, or of a personal link."""

    @private_page
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def page(request: HttpRequest, slug: str = "", secret: str = "") -> HttpResponse:
        if secret:
            study, names = access.study_for_invitation(secret), ("personal", "personal-consent")
        else:
            study, names = access.study_for_visitor(slug), ("study", "consent")
        start, consent = (reverse(name, args=[secret or slug]) for name in names)
        language = languages.activate_for(request, study)
        panel = dict(request.GET.lists())
        return view(request, Entry(study, language, start, consent, secret, panel))

    return page


@entry_page
def start_page(request: HttpRequest, entry: Entry) -> HttpResponse:
    """What to expect, and a button. Programs that follow links stop here and use up nothing."""
    if request.method == "POST":
        return redirect(entry.consent + query_string(request, entry))
    context = entry_context(entry)
    if found := device.recognise(request, entry.study):
        context["known"], context["known_token"] = found
        return render(request, "survey/welcome_back.html", context)
    return refusal_page(request, entry, context) or render(request, "survey/start.html", context)


@entry_page
def consent_page(request: HttpRequest, entry: Entry) -> HttpResponse:
    """The consent text; accepting it makes an appraiser."""
    text = entry.study.texts_in(entry.language)["consent_text"]
    version = consent_version(text)
    if request.method == "POST":
        # The text may have changed while it was read; then the new one is shown.
        if request.POST.get("version", version) != version:
            return redirect(entry.consent + query_string(request, entry))
        return accept_consent(request, entry)
    context = entry_context(entry) | {
        "ticket": new_token(),
        "version": version,
        "entry_described": consent_mentions_entry(entry.study, text),
        "erasure_described": consent_mentions_past(entry.study, text),
    }
    return refusal_page(request, entry, context) or render(request, "survey/consent.html", context)


def refusal_page(
    request: HttpRequest, entry: Entry, context: dict[str, object]
) -> HttpResponse | None:
    """The page that explains why this visitor cannot join now; None if they can.

    Visitors who joined by this entry before are redirected to their private link, whatever the
    status of the study.
    """
    study, kind, reason = entry.study, kind_joining(entry.study), ""
    is_visit = request.method == "GET"
    try:
        if found := earlier_visit(study, kind, invitation=entry.invitation, panel=entry.panel):
            known, way = found
            if is_visit:
                note_panel_visit(appraiser=known, parameters=way.parameters)
            return redirect("appraiser", token=way.token)
    except AlreadyEnded as ended:
        if is_visit:
            note_return(study=study, kind=kind, person=ended.person)
        context["back"] = return_with(study, ended.outcome, ended.parameters)
        return render(request, "survey/ended_before.html", context)
    except NotInvited as refusal:
        reason = refusal.reason
    return _refusal(request, study, context, reason)


def _refusal(
    request: HttpRequest, study: Study, context: dict[str, object], reason: str
) -> HttpResponse | None:
    if not study.is_open_for(kind_joining(study)):
        return render(request, "survey/closed.html", context)
    if reason:
        context |= {"reason": reason, "panel": study.panel.get("name", "")}
        return render(request, "survey/uninvited.html", context)
    if places_left(study):
        return None
    context["wait"] = wait_for_place(study)
    return render(request, "survey/full.html", context)


def accept_consent(request: HttpRequest, entry: Entry) -> HttpResponse:
    # The consent that was read decides the kind: pilot answers never count as real ones.
    trial = "trial" in request.POST
    try:
        _, token = join_study(
            study=entry.study,
            kind=Appraiser.Kind.PILOT if trial else Appraiser.Kind.REAL,
            ticket=request.POST.get("ticket", ""),
            language=entry.language,
            invitation=entry.invitation,
            panel=entry.panel,
        )
    except (StudyFull, StudyClosed, NotInvited):
        # The start page explains which of them it is.
        return redirect(entry.start + query_string(request, entry))
    response = redirect("appraiser", token=token)
    if entry.study.entry == "open":
        device.remember(response, entry.study, token)
    return response


def entry_context(entry: Entry) -> dict[str, object]:
    study = entry.study
    return {
        "study": study,
        "texts": study.texts_in(entry.language),
        "nouns": nouns_of(study.dataset),
        "effort": expected_effort(study),
        "trial": study.is_open_for(Appraiser.Kind.PILOT),
        "language": entry.language,
        "languages": languages.choices(study),
    }


def query_string(request: HttpRequest, entry: Entry) -> str:
    """The query string of the page, with the language that was chosen on it."""
    said = request.GET.copy()
    if request.POST.get("lang"):
        said["lang"] = entry.language
    return f"?{said.urlencode()}" if said else ""
