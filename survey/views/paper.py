"""The paper's tables and figures for a data set, and their files."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from survey import access, exhibit_figures
from survey.selectors.paper import PaperReport, paper_report
from survey.views.private_pages import private_page


@private_page
@login_required
@require_safe
def paper_page(request: HttpRequest, name: str) -> HttpResponse:
    report = _report(request, name)
    exhibits = [exhibit_figures.lay_out(one) for one in report.exhibits]
    return render(request, "research/paper.html", {"report": report, "exhibits": exhibits})


@private_page
@login_required
@require_safe
def report_progress(request: HttpRequest, name: str) -> HttpResponse:
    """The part of the page that its script refreshes while a report is made."""
    return render(request, "research/_report_job.html", {"report": _report(request, name)})


@private_page
@login_required
@require_safe
def download_file(request: HttpRequest, name: str, file: str) -> FileResponse:
    report = _report(request, name)
    if report.folder is None or file not in report.files:
        raise Http404("The report has no such file.")
    opened = (report.folder / file).open("rb")
    return FileResponse(opened, as_attachment=True, filename=f"{name}-{file}")


def _report(request: HttpRequest, name: str) -> PaperReport:
    return paper_report(access.dataset_for_researcher(request.user, name))
