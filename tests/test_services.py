"""The runner of the services tests starts and stops its servers, or says why it cannot."""

import os
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from tests.installation import ROOT
from tests.requirements import need
from tests.services import Missing, free_port, program

pytestmark = pytest.mark.process

SHOW = "import os; print(os.environ['TEST_DATABASE_URL'], os.environ['TEST_REDIS_URL'])"


def runner(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.services", "--", *command],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


def found(name: str) -> bool:
    try:
        return bool(program(name))
    except Missing:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a port in this way")
def test_a_free_port_stays_free_until_a_server_binds_it():
    ports = [free_port() for _ in range(100)]
    with pytest.raises(OSError, match="in use"), socket.socket() as another:
        another.bind(("127.0.0.1", ports[0]))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", ports[0]))
    with socket.create_server(("127.0.0.1", ports[0])):
        socket.create_connection(("127.0.0.1", ports[0])).close()


def test_named_servers_are_used_and_the_exit_status_is_the_commands():
    named = {"TEST_DATABASE_URL": "postgres://h/d", "TEST_REDIS_URL": "redis://h/0"}
    done = runner(sys.executable, "-c", f"{SHOW}; raise SystemExit(7)", **named)
    assert done.stdout.split() == ["postgres://h/d", "redis://h/0"]
    assert done.returncode == 7


@pytest.mark.parametrize(("required", "status", "word"), [("0", 0, "skipped"), ("1", 1, "failed")])
def test_a_missing_program_is_named(tmp_path, required, status, word):
    done = runner(
        "false",
        PATH=str(tmp_path),
        TEST_DATABASE_URL="postgres://h/d",
        TEST_REDIS_URL="",
        REQUIRE_SERVICES=required,
    )
    assert done.returncode == status
    assert f"{word}: there is no redis-server on this machine" in done.stderr


def test_the_servers_end_with_the_runner():
    for name in ("initdb", "redis-server"):
        need(found(name), f"there is no {name} on this machine")
    up = "print('up', flush=True); import time; time.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.services", "--", sys.executable, "-c", up],
        cwd=ROOT,
        env=os.environ | {"TEST_DATABASE_URL": "", "TEST_REDIS_URL": ""},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) >= 3  # PostgreSQL, Redis, the command
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 143
        _, alive = psutil.wait_procs(below, timeout=120)
    assert alive == []
