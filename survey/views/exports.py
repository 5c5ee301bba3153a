"""Downloads of a study's data."""

import csv
from collections.abc import Callable, Iterable
from io import BytesIO
from itertools import chain

from django.http import FileResponse, Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from survey import exports
from survey.errors import StudyError
from survey.models import Study
from survey.views.private_pages import study_page
from survey.workbooks import write_workbook


class EchoFile:
    """A file that returns each written line instead of keeping it, so that csv can stream."""

    def write(self, line: str) -> str:
        return line


def table_response(
    request: HttpRequest, rows: Iterable[list[str]], name: str
) -> StreamingHttpResponse | FileResponse:
    """The rows as a CSV file, streamed, or with ``?format=xlsx`` as a workbook.

    In a CSV file with ``?raw=1`` every text is exactly as stored, and with ``?bom=1`` a byte order
    mark tells spreadsheets that it is UTF-8.
    """
    if request.GET.get("format") == "xlsx":
        file = BytesIO()
        write_workbook(file, rows)
        file.seek(0)
        return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx")
    writer = csv.writer(EchoFile())
    written = rows if request.GET.get("raw") else exports.guard_formulas(rows)
    lines = (writer.writerow(row) for row in written)
    return StreamingHttpResponse(
        chain([exports.BOM], lines) if request.GET.get("bom") else lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def _table_view(
    table: str, rows: Callable[[Study], Iterable[list[str]]]
) -> Callable[..., HttpResponseBase]:
    @study_page
    def download(request: HttpRequest, study: Study) -> HttpResponseBase:
        return table_response(request, rows(study), f"{study.slug}-{table}")

    return download


download_judgments = _table_view("judgments", exports.judgment_rows)
download_history = _table_view("history", exports.history_rows)
download_responses = _table_view("responses", exports.response_rows)


@study_page
def download_design(request: HttpRequest, study: Study) -> JsonResponse:
    try:
        document = exports.design_document(study)
    except StudyError as refusal:
        raise Http404(str(refusal)) from refusal
    return JsonResponse(
        document,
        json_dumps_params={"indent": 1, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-design.json"'},
    )
