"""Writes a study's judgments, their history or its questionnaire responses to a CSV file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey import exports
from survey.management.files import add_output_arguments, output_file, report_stream, write_csv
from survey.management.studies import find_study

TABLES = {
    "judgments": exports.judgment_rows,
    "history": exports.history_rows,
    "responses": exports.response_rows,
}


class Command(BaseCommand):
    help = (
        "Export a study's judgments, their history (including changed answers), or the responses "
        "to its questionnaires, one per row, as CSV (UTF-8, times in UTC)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        add_output_arguments(parser)
        parser.add_argument("--what", choices=list(TABLES), default="judgments")
        parser.add_argument("--raw", action="store_true", help=exports.RAW_HELP)

    def handle(self, *args: Any, **options: Any) -> None:
        study, what, out = find_study(options["slug"]), options["what"], options["out"]
        rows = TABLES[what](study)
        with output_file(self, options) as file:
            count = write_csv(file, rows if options["raw"] else exports.guard_formulas(rows))
        noun = "answers" if what == "history" else what
        noun = noun.removesuffix("s") if count == 1 else noun
        report_stream(self, out).write(f"{count} {noun} of {study.slug} in {out}")
