"""Compares systems on one split, or prints and repeats the errors of models that exist."""

import json
from functools import partial
from typing import Any, get_args

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors
from recommender.comparison import TableRow, compare_rows, row_of
from recommender.core.errors import ConfigurationError
from recommender.core.profile_policies import POLICIES, TRAIN_ONLY
from recommender.core.systems import PRESETS
from recommender.management.following import (
    Display,
    follow_jobs,
    format_duration,
    run_in_process,
)
from recommender.management.lookup import USAGE, find_dataset
from recommender.management.naming_systems import parse_systems
from recommender.management.tables import difference_table, error_table, system_table
from recommender.models import Job, TrainedModel
from recommender.services.claims import new_owner
from recommender.services.comparing import next_job, plan_lines
from recommender.services.submitting import Device, submit_evaluation

#: A training may be followed by an evaluation under another policy of profiles.
MOST_JOBS = 2


class Command(BaseCommand):
    help = (
        "Compare systems: one row for each of --systems on the test ratings of --protocol. What is "
        "missing is trained and evaluated by jobs; figures that exist are kept, so that the same "
        "command resumes. Without --systems and --protocol, print the errors of the trained "
        "models that exist; --again measures them first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "models", nargs="*", type=int, metavar="ID", help="models to print; default: all"
        )
        parser.add_argument("--dataset", metavar="NAME")
        parser.add_argument(
            "--systems", type=parse_systems, metavar="NAME,NAME", help="to compare; or: all"
        )
        parser.add_argument(
            "--protocol", metavar="NAME", help="the split to compare on, such as time-90-10"
        )
        parser.add_argument(
            "--profile",
            default=TRAIN_ONLY,
            choices=POLICIES,
            help=f"what a profile contains at test time (default: {TRAIN_ONLY})",
        )
        parser.add_argument(
            "--preset",
            default="",
            choices=PRESETS,
            help="of the systems that have it (default: each system's own)",
        )
        parser.add_argument(
            "--seeds", type=int, default=1, metavar="N", help="trainings of each neural network"
        )
        parser.add_argument(
            "--reference",
            metavar="SYSTEM",
            help="one of --systems: test over users how the others differ from it",
        )
        parser.add_argument(
            "--split-seed", type=int, default=0, metavar="N", help="seed of a random split"
        )
        parser.add_argument(
            "--again", action="store_true", help="measure the models that exist again"
        )
        parser.add_argument("--device", default="auto", choices=get_args(Device))
        parser.add_argument("--inline", action="store_true", help="work here, without a worker")
        parser.add_argument("--json", action="store_true", help="print only JSON on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["systems"] or options["protocol"]:
            self.compare(options)
        else:
            self.list_models(options)

    def compare(self, options: dict[str, Any]) -> None:
        if not options["dataset"] or options["models"] or options["again"]:
            raise CommandError(
                "To compare systems, name one --dataset, and neither models nor --again.",
                returncode=USAGE,
            )
        if options["seeds"] < 1:
            raise CommandError("--seeds is at least 1.", returncode=USAGE)
        systems = options["systems"] or parse_systems("all")
        if options["reference"] not in (None, *systems):
            raise CommandError("--reference is one of --systems.", returncode=USAGE)
        try:
            lines = plan_lines(
                dataset=find_dataset(options["dataset"]),
                systems=systems,
                profile=options["profile"],
                seeds=options["seeds"],
                preset=options["preset"],
                split=options["protocol"] or "time-90-10",
                split_seed=options["split_seed"],
                device=options["device"],
            )
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=USAGE) from None
        work = self.work_here if options["inline"] else self.follow_workers
        try:
            work(lines, Display(self.stderr))
        finally:  # also what was finished before an interruption
            self.write_rows(lines, options["reference"], as_json=options["json"])
        if failed := [f"{line.system} {line.status}: {error}" for line in lines
                      for error in line.errors]:  # fmt: skip
            raise CommandError(" ".join(failed))

    def follow_workers(self, lines: list[TableRow], display: Display) -> None:
        """Submit one job for each training, so that several workers share them."""
        for _ in range(MOST_JOBS):
            jobs = {
                job.pk: (line, job)
                for line in lines
                for nth in range(len(line.params))
                if not line.errors and (job := next_job(line, nth))
            }
            if not jobs:
                return
            labels = {key: label_of(line, job) for key, (line, job) in jobs.items()}
            for job in follow_jobs(labels, display=display):
                note_ending(jobs[job.pk][0], job)

    def work_here(self, lines: list[TableRow], display: Display) -> None:
        """Run one job after the other; no worker is told of them."""
        from recommender.jobs import run_job

        for line in lines:
            for nth in range(len(line.params)):
                for _ in range(MOST_JOBS):
                    if line.errors or not (job := next_job(line, nth, announce=False)):
                        break
                    label = label_of(line, job)
                    start = partial(run_job, job.pk, owner=new_owner())
                    run_in_process(label, job.pk, start, display)
                    (job,) = follow_jobs({job.pk: label}, display=display)
                    note_ending(line, job)

    def write_rows(self, lines: list[TableRow], reference: str | None, *, as_json: bool) -> None:
        rows = list(map(row_of, lines))
        compared = compare_rows(lines, reference) if reference else {}
        if as_json:
            if reference:
                rows = [{**row, "compared": compared.get(row["system"])} for row in rows]
            self.stdout.write(json.dumps(rows, indent=2))
            return
        self.stdout.write(system_table(rows))
        if compared:
            self.stdout.write(f"\nDifferences from {reference}, over users:")
            found = [row for measures in compared.values() for row in measures.values()]
            self.stdout.write(difference_table(found) + "\n")
        models = TrainedModel.objects.filter(pk__in=[pk for row in rows for pk in row["models"]])
        costs = list(models.values_list("seconds", "peak_memory_mb"))
        if costs:
            seconds, memory = sum(cost[0] for cost in costs), max(cost[1] for cost in costs)
            self.stdout.write(
                f"{len(costs)} models: {format_duration(seconds)} to train and evaluate, at most "
                f"{memory:,.0f} MB at once."
            )

    def list_models(self, options: dict[str, Any]) -> None:
        found = TrainedModel.objects.select_related("dataset").order_by(
            "dataset__name", "split", "system", "pk"
        )
        if options["dataset"]:
            found = found.filter(dataset__name=options["dataset"])
        wanted = set(options["models"])
        # Compared in Python, because a database refuses a number too long for an id.
        models = [model for model in found if not wanted or model.pk in wanted]
        if missing := sorted(wanted - {model.pk for model in models}):
            listed = ", ".join(map(str, missing))
            raise CommandError(f"There is no trained model {listed}.", returncode=USAGE)
        if not models:
            raise CommandError(
                "There is no trained model yet. Train one with: manage.py train_models"
            )
        if options["again"]:
            jobs = [
                submit_evaluation(
                    trained_model=model, device=options["device"], profile=options["profile"]
                )
                for model in models
            ]
            ids = [str(job.pk) for job in jobs]
            call_command("follow_jobs", *ids, inline=options["inline"])
        figures = selectors.leaderboard(models)
        rows = [
            {**row, "dataset": model.dataset.name}
            for row, model in zip(figures, models, strict=True)
        ]
        self.stdout.write(json.dumps(rows, indent=2) if options["json"] else error_table(rows))


def label_of(line: TableRow, job: Job) -> str:
    seed = job.params.get("seed", 0)
    return f"{line.system}, seed {seed}" if seed else line.system


def note_ending(line: TableRow, job: Job) -> None:
    if job.status != Job.Status.DONE:
        line.status = str(job.status)
        line.errors.append(job.error)
