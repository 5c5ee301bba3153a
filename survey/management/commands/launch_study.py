"""Launches a draft or a pilot, after finishing the preparation of a draft."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey.management.studies import (
    add_job_arguments,
    command_errors,
    describe_study,
    find_study,
    finish_preparing,
)
from survey.services.launching import launch_study


class Command(BaseCommand):
    help = "Launch a prepared study: its questions are frozen, and appraisers can take part."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        add_job_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        finish_preparing(study, inline=options["inline"], output=options.get("stderr"))
        with command_errors():
            study = launch_study(study=study)
        self.stdout.write(describe_study(study, as_json=options["json"]))
