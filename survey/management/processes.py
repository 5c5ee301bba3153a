"""Child processes of a supervisor: started together, watched together, never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

GRACE = 5.0  # seconds to end in order before a child is killed
LAST_LINES = 12
PR_SET_PDEATHSIG = 1


class ChildDied(Exception):
    """A server ended by itself; the message holds its last words."""


class StepFailed(Exception):
    """A step ended with an error, which it has said itself."""

    def __init__(self, returncode: int) -> None:
        super().__init__(f"a step ended with exit {returncode}")
        self.returncode = returncode


class Family:
    """Servers that live as long as the supervisor, and steps that it waits for.

    Each child leads a session of its own: a Ctrl-C in the terminal reaches the supervisor alone,
    who then stops everyone.
    """

    def __init__(self, *, folder: Path, logs: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.logs = folder, logs
        self.environment = {**os.environ, **environment}
        self.servers: dict[str, subprocess.Popen[bytes]] = {}
        self.steps: list[subprocess.Popen[bytes]] = []

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def serve(self, name: str, *arguments: str) -> None:
        """Start a server; what it says goes to a log of its own."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("wb") as log:
            self.servers[name] = self._start(arguments, output=log, errors=log)

    def begin(self, *arguments: str, quiet: bool = False) -> subprocess.Popen[bytes]:
        """Start a step; what it says goes where the supervisor's words go, ``quiet`` but errors."""
        step = self._start(arguments, output=subprocess.DEVNULL if quiet else None, errors=None)
        self.steps.append(step)
        return step

    def finish(self, step: subprocess.Popen[bytes]) -> None:
        """Wait for a step, with an eye on the servers; StepFailed unless it exits with 0."""
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
        """Ask all to end, and kill whoever has not after some seconds, grandchildren included."""
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
        """All in the children's sessions; a child that died may have left its own behind."""
        sessions = {child.pid for child in [*self.steps, *self.servers.values()]}
        found = []
        for process in psutil.process_iter():
            with suppress(OSError):  # it has ended, or is somebody else's
                if os.getsid(process.pid) in sessions:
                    found.append(process)
        return found

    def _start(
        self,
        arguments: tuple[str, ...],
        *,
        output: IO[bytes] | int | None,
        errors: IO[bytes] | None,
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )


def _end_with_parent() -> None:
    """Between fork and exec: let the kernel end this child should the supervisor be killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
