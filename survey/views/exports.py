"""Downloads of a study's data."""

import csv
from collections.abc import Callable, Iterable

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from survey import access, exports
from survey.errors import StudyError
from survey.models import Study
from survey.views.private_pages import private_page


class EchoFile:
    """A file that returns each written line instead of keeping it, so that csv can stream."""

    def write(self, line: str) -> str:
        return line


def csv_response(
    request: HttpRequest, rows: Iterable[list[str]], name: str
) -> StreamingHttpResponse:
    """The rows as a CSV file, streamed; with ``?raw=1`` every text is exactly as stored."""
    writer = csv.writer(EchoFile())
    written = rows if request.GET.get("raw") else exports.guard_formulas(rows)
    return StreamingHttpResponse(
        (writer.writerow(row) for row in written),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _table_view(
    table: str, rows: Callable[[Study], Iterable[list[str]]]
) -> Callable[..., HttpResponseBase]:
    @private_page
    @login_required
    @require_safe
    def download(request: HttpRequest, slug: str) -> StreamingHttpResponse:
        study = access.study_for_researcher(request.user, slug)
        return csv_response(request, rows(study), f"{study.slug}-{table}.csv")

    return download


download_judgments = _table_view("judgments", exports.judgment_rows)
download_history = _table_view("history", exports.history_rows)
download_responses = _table_view("responses", exports.response_rows)


@private_page
@login_required
@require_safe
def download_design(request: HttpRequest, slug: str) -> JsonResponse:
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
