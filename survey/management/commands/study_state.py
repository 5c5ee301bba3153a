"""Moves a study to another status, or prints its history."""

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
from survey.models import Study
from survey.services.launching import move_study


class Command(BaseCommand):
    help = (
        "Pilot, launch, pause, resume or close a study, or return a pilot to a draft, which "
        "discards its answers. Without a status, print the current status and every change so far."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("status", nargs="?", choices=Study.Status.values)
        add_job_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        study, status = find_study(options["slug"]), options["status"]
        if status in {Study.Status.PILOT, Study.Status.RUNNING}:
            finish_preparing(study, inline=options["inline"], output=options.get("stderr"))
        if status:
            with command_errors():
                study = move_study(study=study, to=status)
        self.stdout.write(describe_study(study, as_json=options["json"]))
        if not status and not options["json"]:
            for event in study.events.all():
                by = f" by {event.by}" if event.by else ""
                note = f" ({event.note})" if event.note else ""
                self.stdout.write(f"  {event.at:%Y-%m-%d %H:%M} {event.to_status}{by}{note}")
