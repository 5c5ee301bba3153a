"""Runs each contestant of a benchmark in a process of its own and measures all alike.

Imports no package of ours, so that it also works in the environment of ``make peers``.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OURS = Path(sys.executable)
PEERS = HERE.parent / ".venv-peers" / "bin" / "python"


@contextmanager
def measured(into: dict[str, Any]) -> Iterator[None]:
    """Store the wall and processor seconds of a block, and the load when it started."""
    load, cpu, start = os.getloadavg()[0], _cpu_seconds(), time.perf_counter()
    yield
    into["seconds"] = time.perf_counter() - start
    into["cpu_seconds"] = _cpu_seconds() - cpu
    into["load"] = load


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_gb() -> float:
    """The largest resident memory of this process so far, in 10^9 bytes."""
    try:  # in a child of a large process, getrusage reports the parent's maximum
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def forget_peak() -> None:
    """Reset ``peak_gb``, if the system supports it."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def tell(row: dict[str, Any]) -> None:
    """Print the result of a contestant's process, as its last line."""
    print(json.dumps({**row, "peak_gb": peak_gb()}), flush=True)


def contestant(python: Path, script: str, *arguments: object, threads: int) -> dict[str, Any]:
    """Run a script of this folder and return its row; SystemExit with its errors if it fails."""
    kinds = ("OMP", "MKL", "OPENBLAS", "RAYON", "NUMBA")
    environment = {**os.environ, **{f"{kind}_NUM_THREADS": str(threads) for kind in kinds}}
    command = [str(python), str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    row: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return row


def keep(script: str, content: dict[str, Any], out: Path | None = None) -> None:
    """Write results/<script>.json with the facts of the machine."""
    target = out or HERE / "results" / f"{Path(script).stem}.json"
    machine = {
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_average_at_end": os.getloadavg()[0],
    }
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"machine": machine, **content}, indent=1) + "\n", "utf-8")
    print(f"kept in {target}")


def _processor() -> str:
    """The processor's name and vector instructions, if the system reports them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    vectors = {"avx2", "avx512bw", "avx512_vnni"} & set(facts.get("flags", "").split())
    return f"{facts.get('model name', platform.machine())} ({', '.join(sorted(vectors))})"
