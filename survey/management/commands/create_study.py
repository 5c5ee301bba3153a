"""Prepare a study of two trained models, and launch it once its recommendations are stored."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey import selectors, services
from survey.errors import DataDamaged, StudyError
from survey.management.studies import USAGE, describe, find_dataset, follow, launch


class Command(BaseCommand):
    help = (
        "Create a study: profiles are drawn, both arms recommend, and people can judge. Exit "
        "status: 0 done, 1 failed, 2 wrong usage, 3 no worker was seen for 10 s (a draft is kept)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the study's name and address: /s/SLUG/")
        parser.add_argument("--dataset", required=True, help="name of the data set")
        parser.add_argument(
            "--arms",
            required=True,
            metavar="ARM,ARM",
            help="each SYSTEM, SYSTEM:PRESET (the newest trained) or a model's id",
        )
        parser.add_argument("--profiles", type=int, default=200, help="questions to keep")
        parser.add_argument("--questions", type=int, default=15, help="for each appraiser")
        parser.add_argument("--appraisers", type=int, default=100, help="the study's quota")
        parser.add_argument("--seed", type=int, default=0, help="of everything that is drawn")
        parser.add_argument(
            "--min-profile", type=int, default=5, help="movies a profile holds at least"
        )
        parser.add_argument("--draft", action="store_true", help="prepare without launching")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--inline", action="store_true", help="do the jobs here, without a worker"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = find_dataset(options["dataset"])
        try:
            study = services.prepare_study(
                slug=options["slug"],
                dataset=dataset,
                arms=[
                    selectors.model_for_arm(dataset=dataset, text=text.strip())
                    for text in options["arms"].split(",")
                ],
                profiles=options["profiles"],
                questions=options["questions"],
                appraisers=options["appraisers"],
                seed=options["seed"],
                minimum_profile=options["min_profile"],
            )
        except DataDamaged as error:
            raise CommandError(str(error)) from error
        except StudyError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        jobs = services.publish_again(study=study)
        follow(study, jobs, inline=options["inline"], output=self.stderr)
        if not options["draft"]:
            study = launch(study)
        self.stdout.write(describe(study, as_json=options["json"]))
