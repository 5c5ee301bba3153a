"""Prepare a study of two arms or more, and launch it once its recommendations are stored."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey.errors import DataDamaged, StudyError
from survey.management.protocols import add_protocol_arguments, protocol_of, read_words
from survey.management.studies import (
    USAGE,
    add_job_arguments,
    command_errors,
    describe_study,
    find_dataset,
    follow_publishing,
)
from survey.models import Study
from survey.selectors.uploads import sources_for_arms
from survey.services.launching import launch_study
from survey.services.preparing import prepare_study, publish_again


class Command(BaseCommand):
    help = (
        "Create a study: profiles are drawn, all arms recommend, and people can judge. Exit "
        "status: 0 done, 1 failed, 2 wrong usage, 3 no worker was seen for 10 s (a draft is kept)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name and address: /s/SLUG/")
        parser.add_argument("--dataset", required=True, help="name of the data set")
        parser.add_argument(
            "--arms",
            required=True,
            metavar="ARM,ARM",
            help="two or more, each SYSTEM, SYSTEM:PRESET (the newest trained), a model's id, or "
            "upload:SYSTEM of the --upload file",
        )
        parser.add_argument(
            "--upload",
            type=Path,
            metavar="FILE.csv",
            help="recommendations of other systems: profile, system, movie, rank, score",
        )
        parser.add_argument(
            "--profiles", type=int, default=200, help="profiles to ask about (default: 200)"
        )
        parser.add_argument(
            "--questions", type=int, default=15, help="for each appraiser (default: 15)"
        )
        parser.add_argument("--appraisers", type=int, default=100, help="its quota (default: 100)")
        parser.add_argument("--seed", type=int, default=0, help="of all lots (default: 0)")
        parser.add_argument(
            "--min-profile",
            type=int,
            default=5,
            help="movies a profile holds at least (default: 5)",
        )
        parser.add_argument("--title", default="", help="what people see first")
        parser.add_argument("--consent", type=Path, metavar="FILE", help="the text of the consent")
        parser.add_argument("--instructions", type=Path, metavar="FILE", help="their text")
        add_protocol_arguments(parser)
        parser.add_argument("--draft", action="store_true", help="prepare without launching")
        add_job_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = prepare(options)
        except DataDamaged as error:
            raise CommandError(str(error)) from error
        except StudyError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        jobs = publish_again(study=study)
        follow_publishing(study, jobs, inline=options["inline"], output=options.get("stderr"))
        if not options["draft"]:
            with command_errors():
                study = launch_study(study=study)
        self.stdout.write(describe_study(study, as_json=options["json"]))


def prepare(options: dict[str, Any]) -> Study:
    dataset = find_dataset(options["dataset"])
    return prepare_study(
        slug=options["slug"],
        dataset=dataset,
        arms=sources_for_arms(
            dataset=dataset,
            texts=[text.strip() for text in options["arms"].split(",")],
            upload=options["upload"],
        ),
        profiles=options["profiles"],
        questions=options["questions"],
        appraisers=options["appraisers"],
        seed=options["seed"],
        minimum_profile=options["min_profile"],
        title=options["title"].strip(),
        consent_text=read_words(options["consent"]),
        instructions=read_words(options["instructions"]),
        protocol=protocol_of(options),
    )
