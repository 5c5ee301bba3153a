"""Write a study's judgments to a CSV file, whole or not at all."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand

from survey import exports
from survey.management.files import beside, write_whole
from survey.management.studies import find_study

#: What can be written, and what of `exports` gives its rows.
TABLES = {
    "judgments": "judgment_rows",
    "history": "history_rows",
    "responses": "response_rows",
}


class Command(BaseCommand):
    help = (
        "Export a study's judgments, their history (changed answers too), or the responses to its "
        "questionnaires, one row each, as CSV (UTF-8, times in UTC)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "--out", required=True, type=Path, metavar="FILE.csv", help="- prints it"
        )
        parser.add_argument("--what", choices=list(TABLES), default="judgments")
        parser.add_argument("--force", action="store_true", help="replace an existing file")

    def handle(self, *args: Any, **options: Any) -> None:
        study, out, what = find_study(options["slug"]), options["out"], options["what"]

        def write(file: TextIO) -> int:
            writer = csv.writer(file)
            lines = 0
            for row in getattr(exports, TABLES[what])(study):
                writer.writerow(row)
                lines += 1
            return lines - 1

        count = write_whole(out, write, stdout=self.stdout, force=options["force"])
        noun = "answers" if what == "history" else what
        noun = noun.removesuffix("s") if count == 1 else noun
        beside(out, self).write(f"{count} {noun} of {study.slug} in {out}")
