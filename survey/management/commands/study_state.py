"""Take a study to the next status of its life, or say where it is."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey.management.studies import describe, find_study, finish_preparing, go_to
from survey.models import Study

OPEN = {Study.Status.PILOT, Study.Status.RUNNING}


class Command(BaseCommand):
    help = (
        "Pilot, launch, pause, resume or close a study, or take a pilot back to a draft, which "
        "discards its answers. Without a status, print where the study is and how it came there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("status", nargs="?", choices=Study.Status.values)
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--inline", action="store_true", help="do waiting jobs here, without a worker"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study, status = find_study(options["slug"]), options["status"]
        if status in OPEN:
            finish_preparing(study, inline=options["inline"], output=self.stderr)
        if status:
            study = go_to(study, status)
        self.stdout.write(describe(study, as_json=options["json"]))
        if not status and not options["json"]:
            for event in study.events.all():
                words = [f"{event.at:%Y-%m-%d %H:%M} {event.to_status}"]
                words += [f"by {event.by}"] if event.by else []
                words += [f"({event.note})"] if event.note else []
                self.stdout.write("  " + " ".join(words))
