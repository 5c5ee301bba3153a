"""Makes the paper's tables and figures for a data set, by a job."""

import shutil
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, get_args

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import store
from recommender.core.errors import ConfigurationError
from recommender.core.splitting import NAMES
from recommender.management.following import Display, follow_jobs, run_in_process
from recommender.management.lookup import USAGE, find_dataset
from recommender.models import Job
from recommender.selectors import read_report
from recommender.services.claims import new_owner
from recommender.services.submitting import Device, submit_report


class Command(BaseCommand):
    help = (
        "Make the tables and figures of the paper from the models of a data set. They are shown "
        "at /research/data/DATASET/paper/. Exit status: 0 done, 1 failed, 2 wrong usage, 3 no "
        "worker was seen for 10 s (the job stays queued)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", metavar="DATASET")
        parser.add_argument("--out", type=Path, metavar="DIR", help="copy the files to this folder")
        parser.add_argument(
            "--split",
            default="time-90-10",
            choices=NAMES,
            help="whose models are reported (default: %(default)s)",
        )
        parser.add_argument("--device", default="auto", choices=get_args(Device))
        parser.add_argument("--inline", action="store_true", help="work here, without a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        dataset, out = find_dataset(options["dataset"]), options["out"]
        if out is not None and out.exists() and not out.is_dir():
            raise CommandError(f"{out} is a file. Name a folder for --out.", returncode=USAGE)
        try:
            job = submit_report(
                dataset=dataset,
                split=options["split"],
                device=options["device"],
                announce=not options["inline"],
            )
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=USAGE) from None
        display = Display(self.stderr)
        if options["inline"]:
            from recommender.jobs import run_job

            start = partial(run_job, job.pk, owner=new_owner())
            run_in_process("report", job.pk, start, display)
        (job,) = follow_jobs({job.pk: "report"}, display=display)
        if job.status != Job.Status.DONE:
            raise CommandError(f"The report {job.status}. {job.error}".strip())
        try:
            report = read_report(job)
            if out is not None:
                copy_files(store.path(job.result["folder"]), report["files"], out)
        except store.StoreError as error:
            raise CommandError(f"{error} Perhaps a later report replaced it.") from None
        except OSError as error:
            raise CommandError(
                f"The report is made, but its files were not copied to {out}: {error}"
            ) from None
        for exhibit in report["exhibits"]:
            if exhibit["missing"]:
                self.stdout.write(f"{exhibit['label']}: {exhibit['missing']} {exhibit['command']}")
        if out is not None:
            self.stdout.write(f"{len(report['files'])} files are in {out}.")
        page = f"/research/data/{dataset.name}/paper/"
        self.stdout.write(f"The page is {page}.")
        self.stdout.write(f"What the paper's error of KNN can mean: {page}#definitions.")


def copy_files(folder: Path, names: Sequence[str], out: Path) -> None:
    """Copy the files into ``out``; each replaces an earlier one as a whole."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        partial = out / f".{uuid.uuid4()}.partial"
        try:
            shutil.copyfile(folder / name, partial)
            partial.replace(out / name)
        finally:
            partial.unlink(missing_ok=True)
