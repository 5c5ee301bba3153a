"""Make a new draft with the settings, texts and arms of another study."""

from argparse import ArgumentParser
from datetime import date
from typing import Any, Literal

from django.core.management.base import BaseCommand, CommandError

from survey.errors import StudyError
from survey.management.studies import USAGE, describe_study, find_study, finish_preparing
from survey.protocol import toml_file
from survey.services.cloning import clone_study, day_in_words


class Command(BaseCommand):
    help = (
        "Copy a study into a new draft; no answers come along. Exit status: 0 done, 1 failed, "
        "2 wrong usage, 3 no worker was seen for 10 s (the draft is kept)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study to copy")
        parser.add_argument("new_slug", help="name and address of the copy: /s/NEW_SLUG/")
        parser.add_argument(
            "--seed", type=int, help="draw other profiles (default: the same seed, the same ones)"
        )
        parser.add_argument(
            "--withdraw-until",
            metavar="DATE|none",
            help="another last day for having answers erased (default: the same one)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--inline", action="store_true", help="do the jobs here, without a worker"
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
        if words := day_in_words(study, copy):
            self.stderr.write(words)
        finish_preparing(copy, inline=options["inline"], output=options.get("stderr"))
        self.stdout.write(describe_study(copy, as_json=options["json"]))


def _day(said: str | None) -> date | Literal["same"] | None:
    if said is None:
        return "same"
    return None if said == "none" else toml_file.day(said)
