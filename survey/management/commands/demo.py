"""A whole study on one machine: web server, worker, data, trained systems, two studies."""

import fcntl
import http.client
import json
import os
import re
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender import selectors
from recommender.models import Dataset, Job
from survey.management.processes import ChildDied, Family, StepFailed
from survey.management.site import LOCK
from survey.models import Appraiser, Study

BUILT_IN = "demo"
SYSTEMS = ("autoencoder", "user-knn", "bias")
ARMS = "autoencoder,user-knn"
TASTE = "autoencoder:0.6"  # of the simulated appraisers, so that the results show something
RESEARCHER = "researcher"
QUESTIONS, PROFILES, MINIMUM_PROFILE, SIMULATED = 15, 100, 5, 40
PATIENCE = 180.0  # seconds for the servers to answer; a busy machine takes its time


class Command(BaseCommand):
    help = "Set up and serve a demonstration study; Ctrl-C stops everything, a second run goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the web server")
        parser.add_argument("--dataset", default="", help="ratings of your own: folder, zip, file")
        parser.add_argument("--web-workers", type=int, default=max(2, min(4, os.cpu_count() or 2)))
        parser.add_argument(
            "--any-database",
            action="store_true",
            help="also on a database that DATABASE_URL names: adds an administrator to it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.began = time.monotonic()
        self.port: int = options["port"]
        self.url = f"http://localhost:{self.port}"
        home = Path(settings.STUDYSITE_HOME)
        if not options["any_database"]:
            refuse_foreign(settings.DATABASES["default"], home)
        source = Path(options["dataset"]).expanduser().resolve() if options["dataset"] else None
        name = data_set_name(source)
        self.family = Family(
            folder=settings.BASE_DIR,
            logs=home / "logs",
            # The demo is for this machine only, whatever public address .env may name.
            environment={
                "DEBUG": "0",
                "SITE_URL": self.url,
                "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            },
        )
        with one_at_a_time(home, self.url), stopped_by_signals() as turn_deaf:
            refuse_busy(self.port)
            try:
                self.serve(options["web_workers"])
                self.prepare(name, source, home)
                while True:
                    self.family.watch()
                    time.sleep(0.5)
            except KeyboardInterrupt:
                self.stdout.write("")  # below the bar of a step, if one was being drawn
                self.say("Stopping ...")
            except ChildDied as death:
                raise CommandError(f"The demo cannot go on: {death}") from None
            except StepFailed as failure:
                raise CommandError(
                    f"The demo cannot go on: {failure} (see above). Mend that and run it again; "
                    "what is done is kept."
                ) from None
            finally:
                turn_deaf()
                self.family.stop()
        self.say("Everything has stopped; nothing is lost. Run it again to go on.")

    # -- the steps ---------------------------------------------------------------------------

    def serve(self, web_workers: int) -> None:
        """Web server first: its pages are up while the rest is being prepared."""
        self.say("Starting the web server and the worker ...")
        static = self.family.begin("manage.py", "collectstatic", "--noinput", "--verbosity", "0")
        call_command("migrate", verbosity=0)
        worker = "celery -A studysite.celery worker --queues device --without-gossip"
        self.family.serve("worker", "-m", *worker.split(), "--without-mingle", "--loglevel", "INFO")
        self.family.finish(static)
        web = f"gunicorn studysite.wsgi --bind 127.0.0.1:{self.port} --workers {web_workers}"
        self.family.serve("web server", "-m", *web.split(), "--no-control-socket")
        self.wait_until(lambda: healthy(self.port), "the web server does not answer")
        self.say(f"The first page is up: {self.url}/")

    def prepare(self, name: str, source: Path | None, home: Path) -> None:
        """Whatever of the demonstration is not there yet."""
        slug = "demo" if name == BUILT_IN else f"demo-{name.lower()}"
        self.import_data(name, source)
        self.train(name)
        self.make_study(slug, name, seed=1)
        self.make_study(f"{slug}-results", name, seed=2)
        self.simulate(f"{slug}-results")
        username, password = researcher(home / "demo.json")
        facts = {
            "judge": f"{self.url}/s/{slug}/",
            "results": f"{self.url}/research/{slug}-results/",
            "admin": f"{self.url}/admin/",
            "login": f"{username} / {password}",
        }
        write_private(home / "demo.json", facts | {"username": username, "password": password})
        self.say("Ready.")
        for word, value in facts.items():
            self.stdout.write(f"{word.capitalize() + ':':<9}{value}")
        self.stdout.write("Ctrl-C stops everything.")
        self.stdout.flush()  # a file or a pipe would keep these lines back

    def import_data(self, name: str, source: Path | None) -> None:
        if Dataset.objects.filter(name=name).exists():
            return
        self.say(f"Importing the data set {name!r} ...")
        self.manage("import_ratings", *([str(source), "--name", name] if source else ["--demo"]))

    def train(self, name: str) -> None:
        """Through the worker; training that was cut short by a stop goes on where it was."""
        self.wait_until(lambda: selectors.has_live_worker(10), "the worker does not come up")
        dataset = Dataset.objects.get(name=name)
        if begun := unfinished(Job.Kind.TRAIN, dataset=dataset.pk):
            self.say("Going on with the training of last time ...")
            self.manage("follow_jobs", *begun)
        missing = [
            system
            for system in SYSTEMS
            if selectors.newest_model(dataset=dataset, system=system) is None
        ]
        if missing:
            self.say(f"Training {', '.join(missing)} ...")
            self.manage("train_models", "--dataset", name, "--systems", ",".join(missing))

    def make_study(self, slug: str, name: str, *, seed: int) -> None:
        study = Study.objects.filter(slug=slug).first()
        if study is None:
            self.say(f"Preparing the study {slug!r} ...")
            dataset = Dataset.objects.get(name=name)
            eligible = selectors.eligible_users(dataset=dataset, minimum=MINIMUM_PROFILE)
            numbers = {
                "--profiles": min(PROFILES, len(eligible)),
                "--questions": QUESTIONS,
                "--min-profile": MINIMUM_PROFILE,
                "--seed": seed,
            }
            options = [str(part) for pair in numbers.items() for part in pair]
            step = ["create_study", slug, "--dataset", name, "--arms", ARMS, *options]
            self.manage(*step, quiet=True)
        elif study.status == Study.Status.DRAFT:
            self.say(f"Going on with the study {slug!r} ...")
            self.manage("launch_study", slug, quiet=True)

    def simulate(self, slug: str) -> None:
        simulated = Appraiser.objects.filter(study__slug=slug, kind=Appraiser.Kind.SIMULATED)
        if missing := SIMULATED - simulated.count():
            self.say(f"Filling {slug!r} with simulated judgments, marked as such ...")
            taste = ["--appraisers", str(missing), "--prefer", TASTE]
            self.manage("simulate_appraisers", slug, *taste, quiet=True)

    # -- means -------------------------------------------------------------------------------

    def manage(self, *arguments: str, quiet: bool = False) -> None:
        self.family.run("manage.py", *arguments, quiet=quiet)

    def wait_until(self, ready: Callable[[], bool], problem: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            self.family.watch()
            if time.monotonic() > deadline:
                raise CommandError(f"The demo cannot go on: {problem}. See {self.family.logs}.")
            time.sleep(0.1)

    def say(self, text: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.began:5.1f} s] {text}")
        self.stdout.flush()


def data_set_name(source: Path | None) -> str:
    """The name of an own data set: its file's or folder's, as far as names allow."""
    if source is None:
        return BUILT_IN
    if not source.exists():
        raise CommandError(f"There is no {source}. Name a folder, a zip or a file with ratings.")
    stem = source.name if source.is_dir() else source.stem
    return re.sub(r"[^A-Za-z0-9-]+", "-", stem).strip("-")[:40] or "own"


def unfinished(kind: Job.Kind, *, dataset: int) -> list[str]:
    waiting = Job.objects.filter(kind=kind, status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    return [str(job.pk) for job in waiting if job.params.get("dataset") == dataset]


def researcher(remembered: Path) -> tuple[str, str]:
    """Name and password of the demo's researcher, made once and kept beside the study.

    Never those of an account that was there before: it may be somebody's.
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
    """For its owner's eyes only from the first byte on, and whole or not at all."""
    partial = file.with_name(f".{file.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(facts, out, indent=2)
    partial.rename(file)


def healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def refuse_foreign(database: Mapping[str, Any], home: Path) -> None:
    """An administrator whose password lies in a file belongs in no database but the demo's own."""
    if Path(str(database["NAME"])) != home / "studysite.sqlite3":
        raise CommandError(
            "DATABASE_URL names a database, and the demo would add studies and an administrator "
            f"to it. Switch it off, for a database in {home}: make demo DATABASE_URL= · Or, if "
            "that is meant: manage.py demo --any-database",
            returncode=2,
        )


def refuse_busy(port: int) -> None:
    if not 1 <= port <= 65535:
        raise CommandError(f"{port} is no port. Choose another: make demo PORT=8000", returncode=2)
    with socket.socket() as probe:
        # As the web server will ask: a port that is only cooling down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"Port {port} is not free. Choose another: make demo PORT={port % 60000 + 1}"
            ) from None


@contextmanager
def one_at_a_time(home: Path, url: str) -> Iterator[None]:
    """Two demos in one home would share a queue and a database; the lock ends with the process.

    It says where the pages are, so that commands beside the demo print that address.
    """
    with (home / LOCK).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                f"A demo is running in {home} already. Stop it, or set another STUDYSITE_HOME."
            ) from None
        lock.truncate(0)
        lock.write(url)
        lock.flush()
        yield


@contextmanager
def stopped_by_signals() -> Iterator[Callable[[], None]]:
    """Ctrl-C, a polite kill and a closed terminal all end the demo in the same way.

    Python leaves Ctrl-C ignored where a shell started it in the background; it is not here. What
    is yielded turns them all off, for the seconds that an orderly end takes.
    """

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        turn_deaf()
        raise KeyboardInterrupt

    def turn_deaf() -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup wishes
        before[signal.SIGHUP] = signal.getsignal(signal.SIGHUP)
    for number in before:
        signal.signal(number, stop)
    try:
        yield turn_deaf
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
