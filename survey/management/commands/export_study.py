"""Writes a study's judgments, their history or its questionnaire responses to a CSV file."""

from argparse import ArgumentParser
from typing import Any

from survey import exports
from survey.management.files import TableCommand
from survey.models import Study

TABLES = {
    "judgments": exports.judgment_rows,
    "history": exports.history_rows,
    "responses": exports.response_rows,
}


class Command(TableCommand):
    help = (
        "Export a study's judgments, their history (including changed answers), or the responses "
        "to its questionnaires, one per row, as CSV (UTF-8, times in UTC)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--what", choices=list(TABLES), default="judgments")

    def run(self, study: Study, options: dict[str, Any]) -> None:
        what = options["what"]
        count = self.write_table(TABLES[what](study), options)
        noun = "answers" if what == "history" else what
        noun = noun.removesuffix("s") if count == 1 else noun
        self.report(f"{count} {noun} of {study.slug} in {options['out']}", options)
