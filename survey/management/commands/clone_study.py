"""Makes a new draft with the settings, texts and arms of another study."""

from argparse import ArgumentParser
from datetime import date
from typing import Any, Literal

from recommender.management.lookup import USAGE
from survey.management.studies import PreparingCommand
from survey.models import Study
from survey.protocol.fields import read_day
from survey.services.cloning import clone_study, describe_last_day


class Command(PreparingCommand):
    help = (
        "Copy a study into a new draft, without its answers. Exit status: 0 done, 1 failed, "
        "2 wrong usage, 3 no worker was seen for 10 s (the draft is kept)."
    )
    error_status = USAGE

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
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

    def run(self, study: Study, options: dict[str, Any]) -> None:
        copy = clone_study(
            study=study,
            slug=options["new_slug"],
            seed=options["seed"],
            withdraw_until=_day(options["withdraw_until"]),
        )
        if warning := describe_last_day(study, copy):
            self.stderr.write(warning)
        self.prepare(copy, options)
        self.print_state(copy, options)


def _day(text: str | None) -> date | Literal["same"] | None:
    if text is None:
        return "same"
    return None if text == "none" else read_day(text)
