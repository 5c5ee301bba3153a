"""The product as a user has it: a home, a database and processes of its own."""

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
    """Whether the process runs; a zombie, which only waits to be collected, does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def still_alive(pids: Iterable[int], patience: float = PATIENCE) -> list[int]:
    """Which of the processes have not ended when the patience has; a killed one takes a moment."""
    left, deadline = list(pids), time.monotonic() + patience
    while (left := [pid for pid in left if is_alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


class Installation:
    """Settings of its own in ``env``; whatever ``start`` begins ends with ``stop``."""

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
            "DJANGO_ALLOW_ASYNC_UNSAFE": "",  # what conftest needs is unsafe elsewhere
            "PYTHONUNBUFFERED": "",  # words that are due must not wait for the end
            **settings,
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def run(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        """``python ARGUMENTS`` in this installation; ``ok`` insists that it succeeds."""
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        assert not ok or done.returncode == 0, done.stderr[-3000:]
        return done

    def manage(self, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("manage.py", *arguments, ok=ok)

    def ask(self, code: str) -> str:
        """What ``code`` prints, run with Django ready."""
        return self.run("-c", f"import django; django.setup()\n{code}").stdout.strip()

    def start(self, *arguments: str, log: str) -> subprocess.Popen[bytes]:
        with (self.home / f"{log}.log").open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments], cwd=ROOT, env=self.env, stdout=out, stderr=out
            )
        self.processes.append(process)
        return process

    def serve(self, workers: int) -> None:
        """gunicorn with that many processes, ready to answer."""
        web = f"gunicorn studysite.wsgi --bind 127.0.0.1:{self.port} --workers {workers}"
        options = ["--no-control-socket", "--timeout", "600"]  # a slow machine is no reason to kill
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
    """A fresh database that several processes share: on the PostgreSQL of the tests, or a file."""
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
