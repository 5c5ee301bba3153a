"""Launches a draft or a pilot, after finishing the preparation of a draft."""

from typing import Any

from survey.management.studies import PreparingCommand
from survey.models import Study
from survey.services.launching import launch_study


class Command(PreparingCommand):
    help = "Launch a prepared study: its questions are frozen, and appraisers can take part."

    def run(self, study: Study, options: dict[str, Any]) -> None:
        self.prepare(study, options)
        self.print_state(launch_study(study=study), options)
