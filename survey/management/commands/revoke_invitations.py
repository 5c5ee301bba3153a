"""Take back personal links that nobody has used."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.errors import StudyError
from survey.management.studies import USAGE, find_study
from survey.services.inviting import numbers_in, revoke_invitations


class Command(BaseCommand):
    help = "Take back a study's personal links, as far as nobody has used them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--numbers", metavar="3,7-12", help="as the list of links has them")
        which.add_argument("--all", action="store_true", help="every unused link")

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        try:
            numbers = None if options["all"] else numbers_in(options["numbers"])
        except StudyError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        count = revoke_invitations(study=study, numbers=numbers)
        self.stdout.write(f"{count} unused links of {study.slug} taken back.")
