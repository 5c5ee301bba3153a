"""Moves a study to another status, or prints its history."""

from argparse import ArgumentParser
from typing import Any

from survey.management.studies import PreparingCommand
from survey.models import Study
from survey.services.launching import move_study


class Command(PreparingCommand):
    help = (
        "Pilot, launch, pause, resume or close a study, or return a pilot to a draft, which "
        "discards its answers. Without a status, print the current status and every change so far."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("status", nargs="?", choices=Study.Status.values)

    def run(self, study: Study, options: dict[str, Any]) -> None:
        status = options["status"]
        if status in {Study.Status.PILOT, Study.Status.RUNNING}:
            self.prepare(study, options)
        if status:
            study = move_study(study=study, to=status)
        self.print_state(study, options)
        if not status and not options["json"]:
            for event in study.events.all():
                by = f" by {event.by}" if event.by else ""
                note = f" ({event.note})" if event.note else ""
                self.stdout.write(f"  {event.at:%Y-%m-%d %H:%M} {event.to_status}{by}{note}")
