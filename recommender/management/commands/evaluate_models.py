"""Compares systems on one split, or prints and repeats the errors of models that exist."""

import json
from functools import partial
from typing import Any, get_args

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors
from recommender.comparison import TableRow
from recommender.core.errors import ConfigurationError
from recommender.core.profile_policies import POLICIES, TRAIN_ONLY
from recommender.core.splitting import NAMES
from recommender.core.systems import PRESETS
from recommender.management.comparisons import ComparisonWriter
from recommender.management.following import Display, follow_jobs, run_in_process
from recommender.management.lookup import USAGE, find_dataset
from recommender.management.naming_systems import parse_systems, present_systems
from recommender.management.tables import error_table
from recommender.models import Dataset, Job, TrainedModel
from recommender.services.claims import new_owner
from recommender.services.comparing import next_job, plan_lines, supported_tables
from recommender.services.submitting import Device, submit_evaluation
from recommender.store import StoreError

#: A training may be followed by an evaluation under another policy of profiles.
MOST_JOBS = 2
MOST_SEEDS = 1_000


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
            "--protocol",
            choices=("all", *NAMES),
            metavar="NAME",
            help="the split to compare on, such as time-90-10 (the default); all: a table for each "
            "that the data set supports, time-90-10 with every policy of profiles",
        )
        parser.add_argument(
            "--profile",
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
        form = parser.add_mutually_exclusive_group()
        form.add_argument(
            "--json",
            action="store_const",
            const="json",
            dest="form",
            help="print only JSON on stdout",
        )
        form.add_argument(
            "--markdown",
            action="store_const",
            const="markdown",
            dest="form",
            help="print the tables of a comparison as Markdown",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["systems"] or options["protocol"] or options["reference"]:
            self.compare(options)
        else:
            self.list_models(options)

    def compare(self, options: dict[str, Any]) -> None:
        systems = present_systems(options["systems"] or parse_systems("all"), options["preset"])
        if wrong := self.usage_error(systems, options):
            raise CommandError(wrong, returncode=USAGE)
        try:
            tables, reasons = self.plan(find_dataset(options["dataset"]), systems, options)
        except (ConfigurationError, StoreError) as error:
            raise CommandError(str(error), returncode=USAGE) from None
        work = self.work_here if options["inline"] else self.follow_workers
        writer = ComparisonWriter(
            self.stdout,
            self.stderr,
            form=options["form"],
            reference=options["reference"],
            has_titles=len(tables) > 1,
        )
        try:
            for lines in tables:
                try:
                    work(lines, Display(self.stderr))
                finally:  # also what was finished before an interruption
                    writer.add(lines)
        finally:
            writer.end(reasons)
        failed = [
            f"{line.system} {line.status}: {error}"
            for lines in tables
            for line in lines
            for error in line.errors
        ]
        if problems := [*failed, *writer.problems]:
            raise CommandError(" ".join(problems))

    def usage_error(self, systems: list[str], options: dict[str, Any]) -> str:
        if not options["dataset"] or options["models"] or options["again"]:
            return "To compare systems, name one --dataset, and neither models nor --again."
        if not 1 <= options["seeds"] <= MOST_SEEDS:
            return f"--seeds is from 1 to {MOST_SEEDS}."
        if options["reference"] not in (None, *systems):
            return "--reference is one of --systems."
        if options["protocol"] == "all" and options["profile"]:
            return "--protocol all has the policies of profiles that it needs; leave --profile out."
        return ""

    def plan(
        self, dataset: Dataset, systems: list[str], options: dict[str, Any]
    ) -> tuple[list[list[TableRow]], dict[str, str]]:
        """The rows of each table, and why the data set does not support other protocols."""
        tables = [(options["protocol"] or "time-90-10", options["profile"] or TRAIN_ONLY)]
        reasons: dict[str, str] = {}
        if options["protocol"] == "all":
            tables, reasons = supported_tables(dataset)
        names = ("seeds", "preset", "split_seed", "device")
        shared = {"dataset": dataset, "systems": systems, **{name: options[name] for name in names}}
        return [plan_lines(split=one, profile=policy, **shared) for one, policy in tables], reasons

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

    def list_models(self, options: dict[str, Any]) -> None:
        found = TrainedModel.objects.select_related("dataset").order_by(
            "dataset__name", "split", "system", "pk"
        )
        if options["dataset"]:
            found = found.filter(dataset=find_dataset(options["dataset"]))
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
                    trained_model=model,
                    device=options["device"],
                    profile=options["profile"] or TRAIN_ONLY,
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
        self.stdout.write(
            json.dumps(rows, indent=2) if options["form"] == "json" else error_table(rows)
        )


def label_of(line: TableRow, job: Job) -> str:
    seed = job.params.get("seed", 0)
    return f"{line.system}, seed {seed}" if seed else line.system


def note_ending(line: TableRow, job: Job) -> None:
    if job.status != Job.Status.DONE:
        line.status = str(job.status)
        line.errors.append(job.error)
