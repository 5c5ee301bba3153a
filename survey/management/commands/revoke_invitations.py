"""Revokes unused personal links."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey.management.studies import USAGE, command_errors, find_study
from survey.services.inviting import numbers_in, revoke_invitations


class Command(BaseCommand):
    help = "Revoke a study's personal links; links that were used stay valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--numbers", metavar="3,7-12", help="as numbered in the list of links")
        which.add_argument("--all", action="store_true", help="every unused link")

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        with command_errors(USAGE):
            numbers = None if options["all"] else numbers_in(options["numbers"])
        count = revoke_invitations(study=study, numbers=numbers)
        links = "1 unused link" if count == 1 else f"{count} unused links"
        self.stdout.write(f"{links} of {study.slug} revoked.")
