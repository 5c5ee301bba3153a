"""Writes the list by which a panel pays its participants to a CSV file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey import exports
from survey.management.files import add_output_arguments, output_file, report_stream, write_csv
from survey.management.studies import USAGE, find_study


class Command(BaseCommand):
    help = (
        "Export the panel's own ids of the people it sent, with outcome and code, as CSV (UTF-8). "
        "No other export holds these ids, and this one holds neither pseudonyms nor times."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        add_output_arguments(parser)
        parser.add_argument("--raw", action="store_true", help=exports.RAW_HELP)

    def handle(self, *args: Any, **options: Any) -> None:
        study, out = find_study(options["slug"]), options["out"]
        if study.entry != "panel":
            raise CommandError(
                f"No panel sends people to {study.slug!r}: its entry is {study.entry!r}.",
                returncode=USAGE,
            )
        rows = exports.panel_rows(study)
        with output_file(self, options, secret=True) as file:
            count = write_csv(file, rows if options["raw"] else exports.guard_formulas(rows))
        people = "1 person" if count == 1 else f"{count} people"
        report_stream(self, out).write(f"{people} of {study.slug} in {out}")
