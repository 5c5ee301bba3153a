"""Make personal links for a study and write them to a file, the only place that holds them."""

import csv
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.urls import reverse

from survey import exports
from survey.errors import StudyError
from survey.management.files import beside, write_whole
from survey.management.site import note_on_site, site_url
from survey.management.studies import USAGE, find_study
from survey.services.inviting import MOST_AT_ONCE, make_invitations


class Command(BaseCommand):
    help = (
        "Make personal links: each lets one person into the study, once. The file is the only "
        "place that holds them; the database keeps their digests."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--count", type=int, help=f"1 to {MOST_AT_ONCE}; default: one a label")
        parser.add_argument(
            "--labels", type=Path, metavar="FILE", help="a label a line, for your own overview"
        )
        parser.add_argument(
            "--out", required=True, type=Path, metavar="FILE.csv", help="- prints it"
        )
        parser.add_argument("--force", action="store_true", help="replace an existing file")

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        labels = read_labels(options["labels"])
        count = len(labels) if options["count"] is None else options["count"]
        out = options["out"]
        try:
            # Links that no file holds are of no use: if it cannot be written, none are made.
            with transaction.atomic():
                links = make_invitations(study=study, count=count, labels=labels)

                def write(file: TextIO) -> None:
                    csv.writer(file).writerows(exports.link_rows(links, address))

                write_whole(out, write, stdout=self.stdout, force=options["force"], secret=True)
        except StudyError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        numbers = f"number {links[0].number}"
        if len(links) > 1:
            numbers = f"numbers {links[0].number} to {links[-1].number}"
        beside(out, self).write(
            f"{len(links)} personal link{'s' * (len(links) > 1)} of {study.slug}, {numbers}, in "
            f"{out}\nKeep the file: nothing else holds the links."
        )
        if note := note_on_site():
            self.stderr.write(note)


def read_labels(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(
            f"{file} cannot be read as UTF-8 text: {error}", returncode=USAGE
        ) from error
    return [line.strip() for line in lines if line.strip()]


def address(token: str) -> str:
    return site_url() + reverse("personal", args=[token])
