"""Launch a prepared study; what is left of its preparation is done first."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey import services
from survey.management.studies import describe, find_study, follow, launch
from survey.models import Study


class Command(BaseCommand):
    help = "Launch a prepared study: its questions are stored for good, and people can judge."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--inline", action="store_true", help="do waiting jobs here, without a worker"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        if study.status == Study.Status.DRAFT:
            jobs = services.publish_again(study=study)
            follow(study, jobs, inline=options["inline"], output=self.stderr)
        study = launch(study)
        self.stdout.write(describe(study, as_json=options["json"]))
