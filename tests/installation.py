"""The product as a user installs it, with its own home, database and processes."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.services import free_port

ROOT = Path(__file__).resolve().parents[1]
SECRET = "k3-Wz9qLr_v7TgXyB2nQmE5sUaD8hJcPfR4iOoKtYx1VbNwZlM6"
PATIENCE = 180


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def still_alive(pids: Iterable[int], patience: float = PATIENCE) -> list[int]:
    """The processes that have not ended in time; a killed one takes a moment."""
    left, deadline = list(pids), time.monotonic() + patience
    while (left := [pid for pid in left if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


class Installation:
    """Has its own settings in ``env``; ``stop`` ends all processes that ``start`` began."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home, self.port = home, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = os.environ | {
            "DJANGO_SETTINGS_MODULE": "studysite.settings",
            "SECRET_KEY": SECRET,
            "DEBUG": "0",
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "STUDYSITE_HOME": str(home),
            "DATABASE_URL": "",
            "REDIS_URL": os.environ.get("REDIS_URL", ""),
            "DJANGO_ALLOW_ASYNC_UNSAFE": "",  # only the browser tests need it
            "PYTHONUNBUFFERED": "",  # output is unbuffered only if a test asks for it
            **settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """Run ``python ARGUMENTS`` in this installation; with ``ok`` it must succeed."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        assert not ok or done.returncode == 0, done.stderr[-3000:]
        return done

    def manage(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, ok=ok)

    def ask(self, code: str) -> str:
        """What ``code`` prints after django.setup()."""
        return self.run("-c", f"import django; django.setup()\n{code}").stdout.strip()

    def start(self, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{log}.log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self.env, stdout=out, stderr=out
            )
        self.processes.append(process)
        return process

    def serve(self, workers: int) -> None:
        """Start gunicorn with that many processes and wait until it answers."""
        web = f"gunicorn studysite.wsgi --bind 127.0.0.1:{self.port} --workers {workers}"
        options = ["--no-control-socket", "--timeout", "600"]  # do not kill slow requests
        server = self.start("-m", *web.split(), *options, log="web")
        deadline = time.monotonic() + PATIENCE
        while not self.healthy():
            assert server.poll() is None, (self.home / "web.log").read_text()[-3000:]
            assert time.monotonic() < deadline, "gunicorn does not answer"
            time.sleep(0.1)

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> None:
        alive = []
        for process in self.processes:
            if process.poll() is None:
                leader = psutil.Process(process.pid)
                alive += [leader, *leader.children(recursive=True)]
                process.terminate()
        _, alive = psutil.wait_procs(alive, timeout=5)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=5)


@contextmanager
def own_database(folder: Path) -> Iterator[str]:
    """A new database that processes can share, on the PostgreSQL of the tests or in a file."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        yield f"sqlite:///{folder / 'own.sqlite3'}"
        return
    import psycopg

    name = f"own_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{server.rsplit('/', 1)[0]}/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
