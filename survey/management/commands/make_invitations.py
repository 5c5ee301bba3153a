"""Makes personal links for a study and writes them to a file, the only place that holds them."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.db import transaction
from django.urls import reverse

from recommender.management.lookup import USAGE
from survey import exports
from survey.management.files import ExportCommand, output_file, write_csv
from survey.management.site import current_site_url, localhost_warning
from survey.models import Study
from survey.protocol.toml_file import read_text
from survey.services.inviting import MOST_AT_ONCE, make_invitations


class Command(ExportCommand):
    help = (
        "Make personal links, each for one person. The file is the only place that holds them; "
        "the database keeps their digests."
    )
    error_status = USAGE

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--count", type=int, help=f"1 to {MOST_AT_ONCE}; default: one per label"
        )
        parser.add_argument(
            "--labels", type=Path, metavar="FILE", help="one label per line, for your own overview"
        )

    def run(self, study: Study, options: dict[str, Any]) -> None:
        lines = read_text(options["labels"]).splitlines() if options["labels"] else []
        labels = [line.strip() for line in lines if line.strip()]
        count = len(labels) if options["count"] is None else options["count"]
        # A link that no file holds is of no use: if the file cannot be written, none is made.
        with transaction.atomic():
            links = make_invitations(study=study, count=count, labels=labels)
            with output_file(self, options, secret=True) as file:
                write_csv(file, exports.guard_formulas(exports.link_rows(links, _personal_url)))
        first, last = links[0].number, links[-1].number
        numbers = f"number {first}" if first == last else f"numbers {first} to {last}"
        self.report(
            f"{len(links)} personal link{'s' * (len(links) > 1)} of {study.slug}, {numbers}, in "
            f"{options['out']}\nKeep the file: nothing else holds the links.",
            options,
        )
        if note := localhost_warning():
            self.stderr.write(note)


def _personal_url(token: str) -> str:
    return current_site_url() + reverse("personal", args=[token])
