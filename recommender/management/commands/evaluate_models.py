"""Prints the errors of trained models; measures them again on request."""

import json
from typing import Any, get_args

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors
from recommender.management.tables import error_table
from recommender.models import TrainedModel
from recommender.services.submitting import Device, submit_evaluation


class Command(BaseCommand):
    help = "Print the error table of trained models; --again measures the errors first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("models", nargs="*", type=int, metavar="ID", help="default: all")
        parser.add_argument("--dataset", metavar="NAME")
        parser.add_argument(
            "--again", action="store_true", help="measure again, by one job for each model"
        )
        parser.add_argument("--device", default="auto", choices=get_args(Device))
        parser.add_argument("--inline", action="store_true", help="measure here, without a worker")
        parser.add_argument("--json", action="store_true", help="print only JSON on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        found = TrainedModel.objects.order_by("dataset__name", "split", "system", "pk")
        if options["dataset"]:
            found = found.filter(dataset__name=options["dataset"])
        wanted = set(options["models"])
        # Compared in Python, because a database refuses a number too long for an id.
        models = [model for model in found if not wanted or model.pk in wanted]
        if missing := sorted(wanted - {model.pk for model in models}):
            listed = ", ".join(map(str, missing))
            raise CommandError(f"There is no trained model {listed}.", returncode=2)
        if not models:
            raise CommandError(
                "There is no trained model yet. Train one with: manage.py train_models"
            )
        if options["again"]:
            jobs = [
                submit_evaluation(trained_model=model, device=options["device"]) for model in models
            ]
            ids = [str(job.pk) for job in jobs]
            call_command("follow_jobs", *ids, inline=options["inline"])
        rows = selectors.leaderboard(models)
        self.stdout.write(json.dumps(rows, indent=2) if options["json"] else error_table(rows))
