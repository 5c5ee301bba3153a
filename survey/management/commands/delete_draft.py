"""Deletes a draft, so that its name can be used again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.errors import StudyError
from survey.management.studies import USAGE, find_study
from survey.services.preparing import delete_draft


class Command(BaseCommand):
    help = "Delete a draft for good. A study that has ever opened cannot be deleted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        try:
            delete_draft(study=study)
        except StudyError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        self.stdout.write(f"The draft {options['slug']!r} was deleted.")
