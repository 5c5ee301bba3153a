"""Write to a CSV file whom a study's panel has to pay, and how it ended for each."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from survey import exports
from survey.management.files import beside, write_whole
from survey.management.studies import USAGE, find_study


class Command(BaseCommand):
    help = (
        "Export the panel's names for those it sent, with outcome and code, as CSV (UTF-8). No "
        "other export holds these names, and this one neither pseudonyms nor times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "--out", required=True, type=Path, metavar="FILE.csv", help="- prints it"
        )
        parser.add_argument("--force", action="store_true", help="replace an existing file")

    def handle(self, *args: Any, **options: Any) -> None:
        study, out = find_study(options["slug"]), options["out"]
        if study.entry != "panel":
            raise CommandError(
                f"No panel sends people to {study.slug!r}: its entry is {study.entry!r}.",
                returncode=USAGE,
            )

        def write(file: TextIO) -> int:
            rows = list(exports.panel_rows(study))
            csv.writer(file).writerows(rows)
            return len(rows) - 1

        count = write_whole(out, write, stdout=self.stdout, force=options["force"], secret=True)
        beside(out, self).write(
            f"{count} {'person' if count == 1 else 'people'} of {study.slug} in {out}"
        )
