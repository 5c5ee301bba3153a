"""Sets up and serves a whole study on one machine: data, trained systems, web server, worker."""

import http.client
import json
import os
import re
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from recommender import selectors
from recommender.models import Dataset, Job
from recommender.services.submitting import submit_report
from survey.management.files import replace_file
from survey.management.processes import ChildDied, StepFailed, Supervisor, interrupt_on_signals
from survey.management.site import lock_home
from survey.models import Appraiser, Study

BUILT_IN = "demo"
SYSTEMS = ("autoencoder", "user-knn", "bias")
ARMS = "autoencoder,user-knn"
TASTE = "autoencoder:0.6"  # of the simulated appraisers, so that the results show something
RESEARCHER = "researcher"
QUESTIONS, PROFILES, MINIMUM_PROFILE, SIMULATED = 15, 100, 5, 40
PATIENCE = 180.0  # seconds for the servers to answer on a busy machine


class Command(BaseCommand):
    help = "Set up and serve a demonstration study. Ctrl-C stops everything; a second run resumes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the web server")
        parser.add_argument("--dataset", default="", help="your own ratings: a folder, zip or file")
        parser.add_argument("--web-workers", type=int, default=max(2, min(4, os.cpu_count() or 2)))
        parser.add_argument(
            "--any-database",
            action="store_true",
            help="use the database that DATABASE_URL names and add an administrator to it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        self.port: int = options["port"]
        self.url = f"http://localhost:{self.port}"
        home = Path(settings.STUDYSITE_HOME)
        if not options["any_database"]:
            refuse_other_database(settings.DATABASES["default"], home)
        source = Path(options["dataset"]).expanduser().resolve() if options["dataset"] else None
        name = dataset_name_from(source)
        self.supervisor = Supervisor(
            folder=settings.BASE_DIR,
            logs=home / "logs",
            # The demo serves this machine only, even if .env names a public address.
            environment={
                "DEBUG": "0",
                "SITE_URL": self.url,
                "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            },
        )
        with lock_home(home, self.url):
            ignore_signals = interrupt_on_signals()
            refuse_busy_port(self.port)
            try:
                self.serve(options["web_workers"])
                self.prepare(name, source, home)
                while True:
                    self.supervisor.watch()
                    time.sleep(0.5)
            except KeyboardInterrupt:
                self.stdout.write("")  # ends the line of a progress bar
                self.print_line("Stopping ...")
            except ChildDied as death:
                raise CommandError(f"The demo cannot go on: {death}") from None
            except StepFailed as failure:
                raise CommandError(
                    f"The demo cannot go on: {failure} (see above). Fix it and run the demo again; "
                    "finished steps are kept."
                ) from None
            finally:
                ignore_signals()
                self.supervisor.stop()
        self.print_line("Everything has stopped and is kept. Run the demo again to resume.")

    # -- the steps ---------------------------------------------------------------------------

    def serve(self, web_workers: int) -> None:
        """Start the servers first, so that pages are up while the rest is prepared."""
        self.print_line("Starting the web server and the worker ...")
        static = self.supervisor.begin(
            "manage.py", "collectstatic", "--noinput", "--verbosity", "0"
        )
        call_command("migrate", verbosity=0)
        worker = "celery -A studysite.celery worker --without-gossip"
        self.supervisor.serve(
            "worker", "-m", *worker.split(), "--without-mingle", "--loglevel", "INFO"
        )
        self.supervisor.finish(static)
        web = f"gunicorn studysite.wsgi --bind 127.0.0.1:{self.port} --workers {web_workers}"
        self.supervisor.serve("web server", "-m", *web.split(), "--no-control-socket")
        self.wait_until(lambda: is_healthy(self.port), "the web server does not answer")
        self.print_line(f"The first page is up: {self.url}/")

    def prepare(self, name: str, source: Path | None, home: Path) -> None:
        """Create what is missing of the demonstration."""
        slug = "demo" if name == BUILT_IN else f"demo-{name.lower()}"
        self.import_data(name, source)
        self.train(name)
        self.make_study(slug, name, seed=1)
        self.make_study(f"{slug}-results", name, seed=2)
        self.simulate(f"{slug}-results")
        self.order_report(name)
        username, password = ensure_administrator(home / "demo.json")
        facts = {
            "judge": f"{self.url}/s/{slug}/",
            "results": f"{self.url}/research/{slug}-results/",
            "paper": f"{self.url}{reverse('paper', args=[name])}",
            "admin": f"{self.url}/admin/",
            "login": f"{username} / {password}",
        }
        write_private(home / "demo.json", facts | {"username": username, "password": password})
        self.print_line("Ready.")
        for word, value in facts.items():
            self.stdout.write(f"{word.capitalize() + ':':<9}{value}")
        self.stdout.write("Ctrl-C stops everything.")
        self.stdout.flush()  # a file or a pipe would buffer these lines

    def import_data(self, name: str, source: Path | None) -> None:
        if Dataset.objects.filter(name=name).exists():
            return
        self.print_line(f"Importing the data set {name!r} ...")
        self.manage("import_ratings", *([str(source), "--name", name] if source else ["--demo"]))

    def train(self, name: str) -> None:
        """Train by the worker; a training that was interrupted resumes."""
        self.wait_until(lambda: selectors.has_live_worker(10), "the worker does not start")
        dataset = Dataset.objects.get(name=name)
        if begun := unfinished_jobs(Job.Kind.TRAIN, dataset=dataset.pk):
            self.print_line("Resuming the training ...")
            self.manage("follow_jobs", *begun)
        missing = [
            system
            for system in SYSTEMS
            if selectors.newest_model(dataset=dataset, system=system) is None
        ]
        if missing:
            self.print_line(f"Training {', '.join(missing)} ...")
            self.manage("train_models", "--dataset", name, "--systems", ",".join(missing))

    def make_study(self, slug: str, name: str, *, seed: int) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            self.print_line(f"Preparing the study {slug!r} ...")
            dataset = Dataset.objects.get(name=name)
            eligible = selectors.eligible_users(dataset=dataset, minimum=MINIMUM_PROFILE)
            size = f"--profiles {min(PROFILES, len(eligible))} --questions {QUESTIONS}"
            options = f"--arms {ARMS} {size} --min-profile {MINIMUM_PROFILE} --seed {seed}"
            self.manage("create_study", slug, "--dataset", name, *options.split(), quiet=True)
        elif study.status == Study.Status.DRAFT:
            self.print_line(f"Resuming the study {slug!r} ...")
            self.manage("launch_study", slug, quiet=True)

    def simulate(self, slug: str) -> None:
        simulated = Appraiser.objects.filter(study__slug=slug, kind=Appraiser.Kind.SIMULATED)
        if missing := SIMULATED - simulated.count():
            self.print_line(f"Adding simulated judgments, marked as such, to {slug!r} ...")
            taste = ["--appraisers", str(missing), "--prefer", TASTE]
            self.manage("simulate_appraisers", slug, *taste, quiet=True)

    def order_report(self, name: str) -> None:
        """The paper's tables and figures; their page shows the progress."""
        dataset = Dataset.objects.get(name=name)
        if not selectors.report_jobs(dataset=dataset):
            submit_report(dataset=dataset)

    # -- means -------------------------------------------------------------------------------

    def manage(self, *arguments: str, quiet: bool = False) -> None:
        self.supervisor.run("manage.py", *arguments, quiet=quiet)

    def wait_until(self, ready: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            self.supervisor.watch()
            if time.monotonic() > deadline:
                raise CommandError(f"The demo cannot go on: {problem}. See {self.supervisor.logs}.")
            time.sleep(0.1)

    def print_line(self, text: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.began:5.1f} s] {text}")
        self.stdout.flush()


def dataset_name_from(source: Path | None) -> str:
    """A valid data set name from that of the file or folder."""
    if source is None:
        return BUILT_IN
    if not source.exists():
        raise CommandError(f"There is no {source}. Name a folder, a zip or a file with ratings.")
    stem = source.name if source.is_dir() else source.stem
    return re.sub(r"[^A-Za-z0-9-]+", "-", stem).strip("-")[:40] or "own"


def unfinished_jobs(kind: Job.Kind, *, dataset: int) -> list[str]:
    waiting = Job.objects.filter(kind=kind, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    return [str(job.pk) for job in waiting if job.params.get("dataset") == dataset]


def ensure_administrator(remembered: Path) -> tuple[str, str]:
    """Name and password of the demo's administrator, created once and remembered in the file.

    An account that existed before is left alone, because it may belong to a person.
    """
    accounts = get_user_model().objects
    if remembered.is_file():
        facts = json.loads(remembered.read_text(encoding="utf-8"))
        name, password = str(facts.get("username", "")), str(facts.get("password", ""))
        user = accounts.filter(username=name).first()
        if user is not None and user.check_password(password):
            return name, password
    names = (RESEARCHER if place == 1 else f"{RESEARCHER}-{place}" for place in count(1))
    free = next(name for name in names if not accounts.filter(username=name).exists())
    password = secrets.token_urlsafe(12)
    accounts.create_superuser(username=free, password=password)
    return free, password


def write_private(file: Path, facts: dict[str, str]) -> None:
    """Write a file that only its owner can read, in one step."""
    with replace_file(file, secret=True) as out:
        json.dump(facts, out, indent=2)


def is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def refuse_other_database(database: Mapping[str, Any], home: Path) -> None:
    """Refuse other databases, since the demo adds an administrator whose password is in a file."""
    if Path(str(database["NAME"])) != home / "studysite.sqlite3":
        raise CommandError(
            "DATABASE_URL names a database, and the demo would add studies and an administrator "
            f"to it. To use a database in {home} instead: make demo DATABASE_URL= · To use this "
            "database anyway: manage.py demo --any-database",
            returncode=2,
        )


def refuse_busy_port(port: int) -> None:
    if not 1 <= port <= 65535:
        raise CommandError(
            f"{port} is not a valid port. Choose another: make demo PORT=8000", returncode=2
        )
    with socket.socket() as probe:
        # The web server sets this too, so that a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"Port {port} is not free. Choose another: make demo PORT={port % 60000 + 1}"
            ) from None
