"""Makes a new draft with the settings, texts and arms of another study."""

from argparse import ArgumentParser
from datetime import date
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError

from survey.errors import StudyError
from survey.management.studies import USAGE, describe_study, find_study, finish_preparing
from survey.protocol.fields import read_day
from survey.services.cloning import clone_study, describe_last_day


class Command(BaseCommand):
    help = (
        "Copy a study into a new draft, without its answers. Exit status: 0 done, 1 failed, "
        "2 wrong usage, 3 no worker was seen for 10 s (the draft is kept)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="study to copy")
        parser.add_argument("new_slug", help="name and address of the copy: /s/NEW_SLUG/")
        parser.add_argument(
            "--seed",
            type=int,
            help="seed for drawing other profiles (default: the same seed, the same profiles)",
        )
        parser.add_argument(
            "--withdraw-until",
            metavar="DATE|none",
            help="last day on which answers can be erased (default: that of the study)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--inline", action="store_true", help="run the jobs in this process, without a worker"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["slug"])
        try:
            copy = clone_study(
                study=study,
                slug=options["new_slug"],
                seed=options["seed"],
                withdraw_until=_day(options["withdraw_until"]),
            )
        except StudyError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        if warning := describe_last_day(study, copy):
            self.stderr.write(warning)
        finish_preparing(copy, inline=options["inline"], output=options.get("stderr"))
        self.stdout.write(describe_study(copy, as_json=options["json"]))


def _day(said: str | None) -> date | Literal["same"] | None:
    if said is None:
        return "same"
    return None if said == "none" else read_day(said)
