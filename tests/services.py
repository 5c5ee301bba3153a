"""Run a command with a private PostgreSQL and Redis: ``python -m tests.services -- COMMAND``.

TEST_DATABASE_URL and TEST_REDIS_URL name servers to use instead. If a program is missing, the
command does not run and the reason is printed; with REQUIRE_SERVICES=1 that is a failure.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE = 120  # seconds for a server to start on a busy machine
_kept: list[socket.socket] = []


class Missing(Exception):
    """A program is not installed."""


def program(name: str) -> Path:
    """The program on PATH, or in the folder of the newest PostgreSQL on Debian."""
    if found := shutil.which(name):
        return Path(found)
    homes = Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    if newest := max(homes, key=lambda path: int(path.parts[-3]), default=None):
        return newest
    raise Missing(f"there is no {name} on this machine")


def free_port() -> int:
    """A port of 127.0.0.1 that the system gives to no other process while this one lives.

    It stays bound without listening. Linux then does not choose it for others, but still lets a
    server bind it that names it and sets SO_REUSEADDR, as all of ours do.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port = int(probe.getsockname()[1])
    if sys.platform == "linux":
        _kept.append(probe)
    else:
        probe.close()
    return port


def unprivileged(folder: Path) -> dict[str, object]:
    """Options to run PostgreSQL, which refuses root, as another user that owns the folder."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise Missing("there is no user but root to run PostgreSQL")


@contextmanager
def running(command: list[str], ready, *, stop: int, log: Path, **options) -> Iterator[None]:
    """Run the server of ``command``; enter the block once ``ready()`` holds, stop it at the end."""
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, **options
        )
    try:
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(stop)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@contextmanager
def postgresql() -> Iterator[str]:
    """A private server without durability; its URL."""
    initdb, postgres, isready = program("initdb"), program("postgres"), program("pg_isready")
    with tempfile.TemporaryDirectory(prefix="studysite-pg-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), str(free_port())
        options = {"cwd": folder, **unprivileged(folder)}
        made = subprocess.run(
            f"{initdb} -D data -U study -A trust -E UTF8 --locale=C.UTF-8 --no-sync".split(),
            capture_output=True,
            text=True,
            **options,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr[-2000:]}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": name,
            "max_connections": "500",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        command = [str(postgres), "-D", "data", "-p", port]
        command += [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]

        def ready() -> bool:
            ask = [isready, "-q", "-h", "127.0.0.1", "-p", port, "-U", "study"]
            return subprocess.run(ask).returncode == 0

        with running(command, ready, stop=signal.SIGINT, log=folder / "log", **options):
            yield f"postgres://study@127.0.0.1:{port}/postgres"


@contextmanager
def redis() -> Iterator[str]:
    """A private server without persistence; its URL."""
    server = program("redis-server")
    with tempfile.TemporaryDirectory(prefix="studysite-redis-", ignore_cleanup_errors=True) as name:
        port = free_port()
        command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--dir", name]
        command += ["--save", "", "--appendonly", "no", "--databases", "256"]

        def ready() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        with running(command, ready, stop=signal.SIGTERM, log=Path(name) / "log"):
            yield f"redis://127.0.0.1:{port}/0"


def main(command: list[str]) -> int:
    with ExitStack() as stack:
        try:
            for variable, server in (("TEST_DATABASE_URL", postgresql), ("TEST_REDIS_URL", redis)):
                if not os.environ.get(variable):
                    os.environ[variable] = stack.enter_context(server())
        except Missing as missing:
            required = os.environ.get("REQUIRE_SERVICES") == "1"
            verb = "failed" if required else "skipped"
            print(f"tests on PostgreSQL and Redis {verb}: {missing}.", file=sys.stderr)
            return int(required)
        return subprocess.run(command).returncode


if __name__ == "__main__":
    # Exit through the blocks above, which stop the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]))
