"""Prepares a study of two or more arms, and launches it once its recommendations are stored."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommender.management.lookup import USAGE, find_dataset
from recommender.options import add_flags
from survey.errors import DataDamaged, StudyError
from survey.management.studies import (
    add_job_arguments,
    describe_study,
    follow_publishing,
)
from survey.models import Study
from survey.protocol.fields import StudyPlan
from survey.protocol.flags import add_protocol_arguments, flag_of, protocol_from
from survey.protocol.problems import validated
from survey.protocol.toml_file import read_text
from survey.selectors.uploads import sources_for_arms
from survey.services.launching import launch_study
from survey.services.preparing import prepare_study, publish_again
from survey.wording.of_study import StudyTexts


class Command(BaseCommand):
    help = (
        "Create a study: profiles are drawn, all arms recommend, and people can judge. Exit "
        "status: 0 done, 1 failed, 2 wrong usage, 3 no worker was seen for 10 s (a draft is kept)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="name of the study, and its address: /s/SLUG/")
        parser.add_argument("--dataset", required=True, help="name of the data set")
        parser.add_argument(
            "--arms",
            required=True,
            metavar="ARM,ARM",
            help="two or more arms, each SYSTEM or SYSTEM:PRESET (the newest trained model), the "
            "id of a trained model, or upload:SYSTEM for a system in the --upload file",
        )
        parser.add_argument(
            "--upload",
            type=Path,
            metavar="FILE.csv",
            help="recommendations of other systems: profile, system, movie, rank, score",
        )
        add_flags(parser, StudyPlan, flag_of, defaults=True)
        parser.add_argument(
            "--title", default="", help="what appraisers see first (default: built in)"
        )
        parser.add_argument("--consent", type=Path, metavar="FILE", help="consent text")
        parser.add_argument("--instructions", type=Path, metavar="FILE", help="instructions")
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
        follow_publishing(study, publish_again(study=study), options)
        if not options["draft"]:
            try:
                study = launch_study(study=study)
            except StudyError as error:
                raise CommandError(str(error)) from error
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
        plan=validated(StudyPlan, {name: options[name] for name in StudyPlan.model_fields}),
        texts=StudyTexts(
            title=options["title"].strip(),
            consent_text=read_text(options["consent"]) if options["consent"] else "",
            instructions=read_text(options["instructions"]) if options["instructions"] else "",
        ),
        protocol=protocol_from(options),
    )
