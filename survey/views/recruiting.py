"""Researchers' pages on how appraisers reach a study."""

from collections.abc import Iterable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from survey import exports, tokens
from survey.errors import StudyError
from survey.forms import MakeLinksForm, RevokeLinksForm
from survey.models import Study
from survey.protocol import panels
from survey.selectors import recruiting
from survey.services import inviting
from survey.views.exports import table_response
from survey.views.private_pages import protected_page, study_form, study_page

LINKS_A_PAGE = 100


@study_page
def recruiting_page(request: HttpRequest, study: Study) -> HttpResponse:
    """The study's link, its personal links, or what to enter in its panel."""
    return render(request, "research/recruit.html", _context(request, study))


@study_form
def make_links(request: HttpRequest, study: Study) -> HttpResponse:
    """Make personal links and offer them for download; no other page can show them again."""
    form = MakeLinksForm(request.POST)
    if not form.is_valid():
        problems = [str(problem) for found in form.errors.values() for problem in found]
        return _refuse(request, study, problems)
    try:
        made = inviting.make_invitations(study=study, **form.cleaned_data)
    except StudyError as refusal:
        return _refuse(request, study, [str(refusal)])
    ticket = form.cleaned_data["ticket"]
    context = {"study": study, "made": made, "first": made[0], "last": made[-1], "ticket": ticket}
    return render(request, "research/links_made.html", context)


@study_form
def download_links(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The links made with this form's ticket, without which nobody can read them again."""
    made = inviting.links_of_ticket(study=study, ticket=request.POST.get("ticket", ""))
    if not made:
        messages.error(request, "These links can no longer be shown. Make new ones.")
        return redirect("recruit", slug=study.slug)

    def full_url(token: str) -> str:
        return request.build_absolute_uri(reverse("personal", args=[token]))

    span = f"{made[0].number}-{made[-1].number}"
    return table_response(request, exports.link_rows(made, full_url), f"{study.slug}-links-{span}")


@study_form
def revoke_links(request: HttpRequest, study: Study) -> HttpResponse:
    form = RevokeLinksForm(request.POST)
    if not form.is_valid():
        return _refuse(request, study, map(str, form.errors.get("numbers", [])))
    count = inviting.revoke_invitations(study=study, numbers=form.cleaned_data["numbers"])
    messages.success(request, f"Revoked: {count:,} link{'' if count == 1 else 's'}.")
    return redirect("recruit", slug=study.slug)


@protected_page
def download_panel_list(request: HttpRequest, study: Study) -> HttpResponseBase:
    """The panel's ids of its participants, for those who may change the study."""
    return table_response(request, exports.panel_rows(study), f"{study.slug}-panel")


def _refuse(request: HttpRequest, study: Study, problems: Iterable[str]) -> HttpResponse:
    context = _context(request, study) | {"problems": list(problems), "sent": request.POST}
    return render(request, "research/recruit.html", context, status=400)


def _context(request: HttpRequest, study: Study) -> dict[str, object]:
    study_url = request.build_absolute_uri(reverse("study", args=[study.slug]))
    found: dict[str, object] = {"study": study, "study_url": study_url}
    if study.entry == "personal":
        pages = Paginator(recruiting.list_links(study), LINKS_A_PAGE)
        found |= {
            "links": recruiting.link_counts(study),
            "page": pages.get_page(request.GET.get("page")),
            "ticket": tokens.new_token(),
            "most": inviting.MOST_AT_ONCE,
        }
    elif study.entry == "panel":
        lines = recruiting.outcome_lines(study)
        found |= {
            "panel_link": panels.link_for_panel(study.panel, study_url),
            "outcomes": lines,
            "tried": any(line["pilot"] for line in lines),
            "erased": any(line["erased"] for line in lines),
        }
    else:
        found["people"] = recruiting.attendance(study)
    return found
