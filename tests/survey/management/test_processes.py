"""The supervisor watches its children and stops all of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from survey.management import processes
from survey.management.processes import ChildDied, StepFailed, Supervisor
from tests.installation import is_alive, still_alive

pytestmark = pytest.mark.process

PATIENCE = 120
SLEEP = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, subprocess, sys, time;"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]);"
    "print(child.pid, flush=True); time.sleep(600)"
)

STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def _own_signals():
    # Under nohup a closed terminal is ignored.
    before = {number: signal.signal(number, signal.SIG_DFL) for number in STOPPING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_own_signals")
@pytest.mark.parametrize("number", STOPPING)
def test_every_way_to_stop_interrupts_once(number):
    processes.interrupt_on_signals()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    for second in STOPPING:
        signal.raise_signal(second)


@pytest.fixture
def supervisor(tmp_path):
    supervisor = Supervisor(folder=tmp_path, logs=tmp_path / "logs", environment={"HOUSE": "1"})
    yield supervisor
    supervisor.stop()


def first_word(log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (text := log.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return text.split()[0]


def test_a_step_is_waited_for(supervisor, tmp_path):
    supervisor.run("-c", "import os, pathlib; pathlib.Path('done').write_text(os.environ['HOUSE'])")
    assert (tmp_path / "done").read_text() == "1"


def test_a_failed_step_reports_its_exit_status(supervisor):
    with pytest.raises(StepFailed) as failure:
        supervisor.run("-c", "raise SystemExit(3)")
    assert failure.value.returncode == 3


def test_a_server_that_ends_is_reported_with_the_end_of_its_log(supervisor):
    supervisor.serve("web", "-c", "raise SystemExit('the port is taken')")
    with pytest.raises(ChildDied, match=r"the web ended by itself \(exit 1\)[\s\S]*port is taken"):
        supervisor.run("-c", SLEEP)


def test_stopping_ends_a_server_and_a_step_at_once(supervisor, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", PATIENCE)  # nobody is killed
    supervisor.serve("web", "-c", SLEEP)
    step = supervisor.begin("-c", SLEEP)
    began = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < PATIENCE
    assert not is_alive(supervisor.servers["web"].pid)
    assert not is_alive(step.pid)


def test_stopping_kills_the_stubborn_and_their_children(supervisor, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.5)
    supervisor.serve("web", "-c", STUBBORN)
    grandchild = int(first_word(supervisor.log("web")))
    supervisor.stop()
    assert still_alive([supervisor.servers["web"].pid, grandchild]) == []


def test_stopping_finds_the_children_of_a_server_that_was_killed(supervisor, monkeypatch):
    monkeypatch.setattr(processes, "GRACE", 0.5)
    supervisor.serve("web", "-c", STUBBORN)
    grandchild = int(first_word(supervisor.log("web")))
    supervisor.servers["web"].kill()
    supervisor.servers["web"].wait()
    assert is_alive(grandchild)
    supervisor.stop()
    assert still_alive([grandchild]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can promise this")
def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    code = (
        "import time; from pathlib import Path;"
        "from survey.management.processes import Supervisor;"
        "supervisor = Supervisor(folder=Path('.'), logs=Path('logs'), environment={});"
        f"supervisor.serve('web', '-c', {SLEEP!r});"
        "print(supervisor.servers['web'].pid, flush=True); time.sleep(600)"
    )
    root = Path(__file__).resolve().parents[3]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    child = int(supervisor.stdout.readline())
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    assert still_alive([child]) == []
