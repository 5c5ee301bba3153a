"""Revokes unused personal links."""

from argparse import ArgumentParser
from typing import Any

from recommender.management.lookup import USAGE
from survey.management.studies import StudyCommand
from survey.models import Study
from survey.services.inviting import numbers_in, revoke_invitations


class Command(StudyCommand):
    help = "Revoke a study's personal links; links that were used stay valid."
    error_status = USAGE

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--numbers", metavar="3,7-12", help="as numbered in the list of links")
        which.add_argument("--all", action="store_true", help="every unused link")

    def run(self, study: Study, options: dict[str, Any]) -> None:
        numbers = None if options["all"] else numbers_in(options["numbers"])
        count = revoke_invitations(study=study, numbers=numbers)
        links = "1 unused link" if count == 1 else f"{count} unused links"
        self.stdout.write(f"{links} of {study.slug} revoked.")
