"""Starts, watches and stops the child processes of a supervisor, and the supervisor itself."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import psutil

GRACE = 5.0  # seconds to end in order before a child is killed
LAST_LINES = 12
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A server ended by itself; the message contains the end of its log."""


class StepFailed(Exception):
    """A step failed and has printed its error."""

    def __init__(self, returncode: int) -> None:
        super().__init__(f"a step ended with exit {returncode}")
        self.returncode = returncode


class Supervisor:
    """Servers that run as long as the supervisor, and steps that it waits for.

    Each child has its own session, so that Ctrl-C reaches only the supervisor.
    """

    def __init__(self, *, folder: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.logs = folder, logs
        self.environment = {**os.environ, **environment}
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.steps: list[subprocess.Popen[bytes]] = []

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def serve(self, name: str, *arguments: str) -> None:
        """Start a server that writes to its own log."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            self.servers[name] = self._start(arguments, stdout=log, stderr=log)

    def begin(self, *arguments: str, quiet: bool = False) -> subprocess.Popen[bytes]:
        """Start a step with the supervisor's output; ``quiet`` keeps only its errors."""
        step = self._start(arguments, stdout=subprocess.DEVNULL if quiet else None)
        self.steps.append(step)
        return step

    def finish(self, step: subprocess.Popen[bytes]) -> None:
        """Wait for a step while watching the servers; StepFailed unless it exits with 0."""
        while step.poll() is None:
            self.watch()
            time.sleep(0.05)
        self.steps.remove(step)
        if step.returncode:
            raise StepFailed(step.returncode)

    def run(self, *arguments: str, quiet: bool = False) -> None:
        self.finish(self.begin(*arguments, quiet=quiet))

    def watch(self) -> None:
        """ChildDied if a server has ended."""
        for name, server in self.servers.items():
            if server.poll() is not None:
                words = self.log(name).read_text(errors="replace").splitlines()[-LAST_LINES:]
                raise ChildDied(
                    f"the {name} ended by itself (exit {server.returncode}). "
                    + "\n  ".join([f"The end of {self.log(name)}:", *words])
                )

    def stop(self) -> None:
        """Terminate all children and grandchildren; kill what is left after GRACE seconds."""
        everyone = self._everyone()
        for process in everyone:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs(everyone, timeout=GRACE)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=GRACE)

    def _everyone(self) -> list[psutil.Process]:
        """All processes in the children's sessions; a dead child may leave others running."""
        sessions = {child.pid for child in [*self.steps, *self.servers.values()]}
        found = []
        for process in psutil.process_iter():
            with suppress(OSError):  # it has ended, or belongs to another user
                if os.getsid(process.pid) in sessions:
                    found.append(process)
        return found

    def _start(self, arguments: tuple[str, ...], **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            **streams,
        )


def _end_with_parent() -> None:
    """Between fork and exec: have the kernel end this child if the supervisor is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def interrupt_on_signals() -> Callable[[], None]:
    """Turn SIGINT, SIGTERM and SIGHUP into one KeyboardInterrupt for the rest of the process.

    SIGINT works even if a shell that started the process in the background had it ignored.
    Returns a function that ignores all of them, for the seconds of an orderly end.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
        numbers.append(signal.SIGHUP)

    def ignore_signals() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        ignore_signals()
        raise KeyboardInterrupt

    for number in numbers:
        signal.signal(number, interrupt)
    return ignore_signals
