"""The researchers' list of studies, a study's results, and the preparation of a draft."""

import secrets

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from recommender.services.submitting import cancel_job
from survey import access, figures
from survey.errors import StudyError
from survey.forms import CloneForm
from survey.models import Appraiser, Study, is_past_last_day
from survey.selectors.checklist import checklist
from survey.selectors.preparing import follow_preparation
from survey.selectors.protocol_checks import protocol_summary
from survey.selectors.questionnaires import questionnaire_results
from survey.selectors.results import StudyResults, study_results
from survey.selectors.studies import study_list
from survey.services import cloning
from survey.services.launching import launch_study, move_study
from survey.services.preparing import publish_again
from survey.views.private_pages import private_page, study_change, study_form, study_page
from survey.wording.nouns import nouns_of

#: The message after a change to each status.
STATUS_MESSAGES = {
    Study.Status.DRAFT: "The study is a draft again; the trial’s answers are discarded.",
    Study.Status.PILOT: "The trial is open. Share the study’s link with those who try it out.",
    Study.Status.RUNNING: "The study is open. Share its link to invite people.",
    Study.Status.PAUSED: "The study is paused. Private links work again once it is resumed.",
    Study.Status.CLOSED: "The study is closed. Its answers stay as they are.",
}


@private_page
@login_required
@require_safe
def studies_page(request: HttpRequest) -> HttpResponse:
    access.require_researcher(request.user)
    return render(request, "research/studies.html", {"studies": study_list()})


@study_page
def results_page(request: HttpRequest, study: Study) -> HttpResponse:
    """The results for the appraisers of one kind or, of a draft, its preparation."""
    context = {
        "study": study,
        "protocol": protocol_summary(study),
        "nouns": nouns_of(study.dataset),
    }
    if study.status == Study.Status.DRAFT:
        context |= {"preparation": follow_preparation(study), "checklist": checklist(study)}
        return render(request, "research/draft.html", context)
    events = list(study.events.all())
    found = _results_to_show(study, request.GET.get("kind", ""))
    context |= {
        "results": found,
        "answer": figures.headline(found),
        "loss": figures.loss_figure(found),
        "study_url": request.build_absolute_uri(reverse("study", args=[study.slug])),
        "events": events,
        "questionnaires": questionnaire_results(study, kind=found.kind),
        "since": events[-1].at if events else study.launched_at,
    }
    return render(request, "research/results.html", context)


@study_page
def preparation_progress(request: HttpRequest, study: Study) -> HttpResponse:
    """The part of a draft's page that its script refreshes."""
    context = {"study": study, "preparation": follow_preparation(study)}
    return render(request, "research/_jobs.html", context)


@study_change
def launch(request: HttpRequest, study: Study) -> HttpResponse:
    return _changed(request, launch_study(study=study, by=request.user.get_username()))


@study_change
def change_study_status(request: HttpRequest, study: Study) -> HttpResponse:
    """Move the study to the status named by ``to``."""
    to, by = request.POST.get("to", ""), request.user.get_username()
    return _changed(request, move_study(study=study, to=to, by=by))


def _changed(request: HttpRequest, study: Study) -> HttpResponse:
    messages.success(request, STATUS_MESSAGES[Study.Status(study.status)])
    return redirect("results", slug=study.slug)


@study_form
def cancel_preparation(request: HttpRequest, study: Study) -> HttpResponse:
    """Cancel the jobs of a draft; a running job stops at its next heartbeat."""
    for job_id in study.arms.exclude(publish_job=None).values_list("publish_job", flat=True):
        cancel_job(job_id)
    return redirect("results", slug=study.slug)


@study_form
def resume_preparation(request: HttpRequest, study: Study) -> HttpResponse:
    """Order the recommendations that failed or cancelled jobs did not make."""
    if study.status == Study.Status.DRAFT:
        publish_again(study=study)
    return redirect("results", slug=study.slug)


@study_change
def clone(request: HttpRequest, study: Study) -> HttpResponse:
    """Copy the study into a new draft, with the same profiles or with others."""
    form = CloneForm(request.POST)
    if not form.is_valid():
        raise StudyError("A name has letters, digits, - and _. Please choose another.")
    copy = cloning.clone_study(
        study=study,
        slug=form.cleaned_data["slug"],
        seed=None if form.cleaned_data["draw"] == "same" else secrets.randbelow(2**31),
        withdraw_until=None if is_past_last_day(study.withdraw_until) else "same",
        by=request.user.get_username(),
    )
    if warning := cloning.describe_last_day(study, copy):
        messages.warning(request, warning)
    return redirect("results", slug=copy.slug)


def _results_to_show(study: Study, kind: str) -> StudyResults:
    """The results of the kind asked for. By default pilot in a pilot, otherwise real.

    Where only simulated appraisers judged so far, theirs show what the page will look like.
    """
    if not kind and study.status == Study.Status.PILOT:
        kind = Appraiser.Kind.PILOT
    if kind in Appraiser.Kind.values:
        return study_results(study, kind=kind)
    found = study_results(study, kind=Appraiser.Kind.REAL)
    if found.n_judgments or not found.kinds[Appraiser.Kind.SIMULATED]:
        return found
    return study_results(study, kind=Appraiser.Kind.SIMULATED)
