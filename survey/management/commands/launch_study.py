"""Launch a draft or a pilot; what is left of a draft's preparation is done first."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey.management.studies import describe, find_study, finish_preparing, launch


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
        finish_preparing(study, inline=options["inline"], output=self.stderr)
        study = launch(study)
        self.stdout.write(describe(study, as_json=options["json"]))
