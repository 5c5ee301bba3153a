"""Searches better settings for systems, with the same number of trials for each."""

import json
from functools import partial
from typing import Any, get_args

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.comparison import same_search
from recommender.core.configs.spaces import SPACES
from recommender.core.errors import ConfigurationError
from recommender.core.splitting import NAMES
from recommender.core.systems import PRESETS, config_to_dict
from recommender.management.following import Display, follow_jobs, run_in_process
from recommender.management.lookup import USAGE, find_dataset
from recommender.management.naming_systems import parse_systems, present_systems
from recommender.management.tables import search_table
from recommender.models import Dataset, Job
from recommender.selectors import find_preset, lacking_needs
from recommender.services.claims import new_owner
from recommender.services.submitting import Device, submit_job, tuning_params


class Command(BaseCommand):
    help = (
        "Search better settings: as many trials for each system, the first of which is the preset, "
        "on a validation slice of the training part of --protocol; test ratings are not read. The "
        "best becomes the preset 'searched' of the data set and protocol. The same command resumes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument("--systems", type=parse_systems, required=True, metavar="NAME,NAME")
        parser.add_argument("--trials", type=int, default=20, metavar="N")
        parser.add_argument("--protocol", default="time-90-10", choices=NAMES, metavar="NAME")
        parser.add_argument("--split-seed", type=int, default=0, metavar="N")
        parser.add_argument(
            "--seed", type=int, default=0, metavar="N", help="of the search and the trainings"
        )
        parser.add_argument(
            "--preset",
            default="",
            choices=PRESETS,
            help="where the search begins (default: the system's own)",
        )
        parser.add_argument("--device", default="auto", choices=get_args(Device))
        parser.add_argument("--inline", action="store_true", help="work here, without a worker")
        parser.add_argument("--json", action="store_true", help="print only JSON on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = find_dataset(options["dataset"])
        systems = present_systems(options["systems"], options["preset"])
        statuses: dict[str, str] = {}
        try:
            requests = {
                name: tuning_params(system=name, **self.request(dataset, options))
                for name in systems
                if not self.obstacle(dataset, name, options, statuses)
            }
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=USAGE) from None
        display = Display(self.stderr)
        jobs = (self.work_here if options["inline"] else self.follow)(requests, display)
        rows = [
            row_of_search(name, jobs[name]) if name in jobs else blank_row(name, statuses[name])
            for name in systems
        ]
        self.stdout.write(json.dumps(rows, indent=2) if options["json"] else search_table(rows))
        failed = [job for job in jobs.values() if job.status != Job.Status.DONE]
        if failed:
            reasons = (f"{job.params['system']} {job.status}. {job.error}" for job in failed)
            raise CommandError(" ".join(reasons))

    def request(self, dataset: Dataset, options: dict[str, Any]) -> dict[str, Any]:
        names = ("trials", "split_seed", "seed", "preset", "device")
        wish = {name: options[name] for name in names}
        return {"dataset": dataset, "split": options["protocol"], **wish}

    def obstacle(
        self, dataset: Dataset, name: str, options: dict[str, Any], statuses: dict[str, str]
    ) -> bool:
        """Whether the system cannot be tuned here; ``statuses`` then says why."""
        _, config = find_preset(
            dataset=dataset,
            system=name,
            preset=options["preset"],
            split=options["protocol"],
            split_seed=options["split_seed"],
        )
        if lacking := lacking_needs(dataset, config):
            statuses[name] = f"needs {' and '.join(lacking)}"
        elif not SPACES.get(name) or not SPACES[name].keys() <= config_to_dict(config).keys():
            statuses[name] = "nothing to search"
        return name in statuses

    def follow(self, requests: dict[str, dict[str, Any]], display: Display) -> dict[str, Job]:
        jobs = {
            name: same_search(params) or submit_job(kind=Job.Kind.TUNE, params=params)
            for name, params in requests.items()
        }
        ended = follow_jobs({job.pk: name for name, job in jobs.items()}, display=display)
        return {job.params["system"]: job for job in ended}

    def work_here(self, requests: dict[str, dict[str, Any]], display: Display) -> dict[str, Job]:
        from recommender.jobs import run_job

        ended = {}
        for name, params in requests.items():
            job = same_search(params) or submit_job(
                kind=Job.Kind.TUNE, params=params, announce=False
            )
            if not job.has_ended:
                start = partial(run_job, job.pk, owner=new_owner())
                run_in_process(name, job.pk, start, display)
            (ended[name],) = follow_jobs({job.pk: name}, display=display)
        return ended


def row_of_search(name: str, job: Job) -> dict[str, Any]:
    trials = job.result.get("trials", [])
    if "best" not in job.result:
        return {**blank_row(name, str(job.status)), "trials": len(trials)}
    best = trials[job.result["best"]]
    return {
        "system": name,
        "status": str(job.status),
        "trials": len(trials),
        "preset_loss": trials[0]["loss"],
        "best_loss": best["loss"],
        "settings": best["settings"],
    }


def blank_row(name: str, status: str) -> dict[str, Any]:
    blank = dict.fromkeys(("trials", "preset_loss", "best_loss", "settings"))
    return {"system": name, "status": status, **blank}
