"""Downloads of a study's data."""

import csv
from collections.abc import Iterable, Iterator

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from survey import access, exports
from survey.errors import StudyError
from survey.views.private_pages import private_page


class Line:
    """A file that hands each written line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


@private_page
@login_required
@require_safe
def judgments(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    study = access.study_for_researcher(request.user, slug)
    return as_file(exports.judgment_rows(study), f"{study.slug}-judgments.csv")


@private_page
@login_required
@require_safe
def history(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """Every answer that was ever given, changed ones too."""
    study = access.study_for_researcher(request.user, slug)
    return as_file(exports.history_rows(study), f"{study.slug}-history.csv")


@private_page
@login_required
@require_safe
def responses(request: HttpRequest, slug: str) -> StreamingHttpResponse:
    """What was answered to the questionnaires."""
    study = access.study_for_researcher(request.user, slug)
    return as_file(exports.response_rows(study), f"{study.slug}-responses.csv")


def as_file(rows: Iterable[list[str]], name: str) -> StreamingHttpResponse:
    """The rows as a CSV file, written while they are read."""
    writer = csv.writer(Line())
    lines: Iterator[str] = (writer.writerow(row) for row in rows)
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@private_page
@login_required
@require_safe
def design(request: HttpRequest, slug: str) -> JsonResponse:
    study = access.study_for_researcher(request.user, slug)
    try:
        document = exports.design_document(study)
    except StudyError as refusal:
        raise Http404(str(refusal)) from refusal
    return JsonResponse(
        document,
        json_dumps_params={"indent": 1, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-design.json"'},
    )
