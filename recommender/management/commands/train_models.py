"""Trains systems on a data set and prints their errors."""

import json
from argparse import ArgumentTypeError
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from recommender import selectors
from recommender.core.errors import ConfigurationError
from recommender.core.splitting import NAMES, cold_sentence
from recommender.core.systems import PRESETS, SYSTEMS, config_from_dict, present_name
from recommender.management.following import Display, follow_jobs, run_in_process
from recommender.management.lookup import USAGE, find_dataset
from recommender.management.naming_systems import parse_systems
from recommender.management.tables import error_table
from recommender.models import Dataset, Job, TrainedModel
from recommender.options import add_flags, flag_of_field
from recommender.services.claims import new_owner
from recommender.services.submitting import TrainingOptions, submit_training, training_params


def _flag_of(name: str) -> str:
    """``--time-limit`` of ``time_limit_seconds``."""
    return flag_of_field(name.removesuffix("_seconds"))


def parse_setting(text: str) -> tuple[str, str, str]:
    """The three parts of SYSTEM.FIELD=VALUE."""
    place, equals, value = text.partition("=")
    system, dot, field = place.strip().partition(".")
    if not equals or not dot:
        raise ArgumentTypeError(f"{text!r} is not SYSTEM.FIELD=VALUE, as in autoencoder.l2=1e-5")
    return system, field, value.strip()


#: a personal network, the paper's neighbours, and the baseline
FIRST_SYSTEMS = "dual-autoencoder,user-knn,bias"


class Command(BaseCommand):
    help = (
        "Train systems and print their errors. Exit status: 0 done, 1 a system failed, "
        "2 wrong usage, 3 no worker was seen for 10 s (the jobs stay queued)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--systems",
            type=parse_systems,
            default=FIRST_SYSTEMS,
            metavar="NAME,NAME",
            help="or: all, which leaves out those that need what the data set does not have "
            f"(default: {FIRST_SYSTEMS})",
        )
        parser.add_argument(
            "--preset",
            default="",
            choices=PRESETS,
            help="of the systems that have it (default: each system's own)",
        )
        parser.add_argument(
            "--set",
            type=parse_setting,
            action="append",
            default=[],
            dest="overrides",
            metavar="SYSTEM.FIELD=VALUE",
            help="override a setting of the preset, such as user-knn.similarity=correlation or "
            "autoencoder.hidden=512,256,512; may be repeated (docs/algorithms.md lists them)",
        )
        parser.add_argument("--split", default="time-90-10", choices=NAMES)
        add_flags(parser, TrainingOptions, _flag_of, defaults=True)
        where = parser.add_mutually_exclusive_group()
        where.add_argument(
            "--detach", action="store_true", help="submit the jobs, print their ids and return"
        )
        where.add_argument(
            "--inline", action="store_true", help="train in this process, without a worker"
        )
        parser.add_argument("--json", action="store_true", help="print only JSON on stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        dataset = find_dataset(options["dataset"])
        if idle := sorted({name for name, _, _ in options["overrides"]} - set(options["systems"])):
            raise CommandError(
                f"--set names {', '.join(idle)}, but --systems does not.", returncode=USAGE
            )
        for name in options["systems"]:
            if (present := present_name(name, options["preset"])) != name:
                self.stderr.write(
                    f"Preset {options['preset']} of {name} is a system of its own now. It is "
                    f"trained as {present}: --systems {present}"
                )
        names = self.able_systems(dataset, options)
        now = {name: present_name(name, options["preset"]) for name in names}
        # Not twice, if a system is also named as it is called now.
        names = [name for name in names if now[name] == name or now[name] not in names]
        try:  # all, or none if one is refused
            requests = {name: self.request(dataset, name, options) for name in names}
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=USAGE) from None
        if options["inline"]:
            jobs = self.train_here(requests, options)
        else:
            with transaction.atomic():
                jobs = [submit_training(**request) for request in requests.values()]
        if options["detach"]:
            ids = [str(job.pk) for job in jobs]
            self.stdout.write(json.dumps(ids) if options["json"] else "\n".join(ids))
            return
        if not options["inline"]:
            labels = {job.pk: job.params["system"] for job in jobs}
            follow_jobs(labels, display=Display(self.stderr))
        if failed := self.write_rows(jobs, options):
            reasons = " ".join(
                f"{job.params['system']} {job.status}. {job.error}".strip() for job in failed
            )
            raise CommandError(f"{len(failed)} of {len(jobs)} systems failed. {reasons}")

    def able_systems(self, dataset: Dataset, options: dict[str, Any]) -> list[str]:
        """The named systems. If they are all, those that can be trained; the others are listed."""
        named: list[str] = options["systems"]
        if set(named) < set(SYSTEMS):
            return named
        able = []
        for name in named:
            _, config = selectors.find_preset(
                dataset=dataset,
                system=name,
                **{key: options[key] for key in ("preset", "split", "split_seed")},
            )
            if lacking := selectors.lacking_needs(dataset, config):
                self.stderr.write(f"{name}: needs {' and '.join(lacking)}", style_func=str)
            else:
                able.append(name)
        return able

    def request(self, dataset: Dataset, name: str, options: dict[str, Any]) -> dict[str, Any]:
        """The training of one system; ConfigurationError if it cannot work."""
        settings = {field: value for one, field, value in options["overrides"] if one == name}
        names = ("preset", "split", *TrainingOptions.model_fields)
        request: dict[str, Any] = {"dataset": dataset, "system": name, "settings": settings}
        request |= {option: options[option] for option in names}
        params = training_params(**request)
        if settings:
            from recommender.core.algorithms.base import implementation  # may load torch

            config = config_from_dict(name, params["config"])
            implementation(params["system"], config)(config).check()
        return request

    def train_here(self, requests: dict[str, dict[str, Any]], options: dict[str, Any]) -> list[Job]:
        """Train one after the other; no worker is told of the jobs."""
        from recommender.jobs import run_job

        display = Display(self.stderr)
        jobs = []
        for request in requests.values():
            job = submit_training(**request, announce=False)
            jobs.append(job)
            try:
                start = partial(run_job, job.pk, owner=new_owner())
                run_in_process(job.params["system"], job.pk, start, display)
            except CommandError:
                self.write_rows(jobs, options)  # of the systems that were finished before
                raise
            follow_jobs({job.pk: job.params["system"]}, display=display)
        return jobs

    def write_rows(self, jobs: list[Job], options: dict[str, Any]) -> list[Job]:
        """Print a row for each job; return the jobs that produced no model."""
        trained = {model.job_id: model for model in TrainedModel.objects.filter(job__in=jobs)}
        rows = []
        for job in jobs:
            job.refresh_from_db()
            if job.pk in trained:
                rows += selectors.leaderboard([trained[job.pk]])
            else:
                rows.append(selectors.unfinished_row(job))
        text = json.dumps(rows, indent=2) if options["json"] else error_table(rows)
        self.stdout.write(text)
        facts = next((model.split_facts for model in trained.values()), None)
        if facts and not options["json"] and (sentence := cold_sentence(facts)):
            self.stdout.write(sentence)
        return [job for job in jobs if job.pk not in trained]
