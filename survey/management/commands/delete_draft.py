"""Deletes a draft, so that its name can be used again."""

from typing import Any

from recommender.management.lookup import USAGE
from survey.management.studies import StudyCommand
from survey.models import Study
from survey.services.preparing import delete_draft


class Command(StudyCommand):
    help = "Delete a draft for good. A study that has ever opened cannot be deleted."
    error_status = USAGE

    def run(self, study: Study, options: dict[str, Any]) -> None:
        delete_draft(study=study)
        self.stdout.write(f"The draft {options['slug']!r} was deleted.")
