"""Writes the list by which a panel pays its participants to a CSV file."""

from typing import Any

from django.core.management.base import CommandError

from recommender.management.lookup import USAGE
from survey.exports import panel_rows
from survey.management.files import TableCommand
from survey.models import Study


class Command(TableCommand):
    help = (
        "Export the panel's own ids of the people it sent, with outcome and code, as CSV (UTF-8). "
        "No other export holds these ids, and this one holds neither pseudonyms nor times."
    )

    def run(self, study: Study, options: dict[str, Any]) -> None:
        if study.entry != "panel":
            raise CommandError(
                f"No panel sends people to {study.slug!r}: its entry is {study.entry!r}.",
                returncode=USAGE,
            )
        count = self.write_table(panel_rows(study), options, secret=True)
        people = "1 person" if count == 1 else f"{count} people"
        self.report(f"{people} of {study.slug} in {options['out']}", options)
