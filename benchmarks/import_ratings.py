"""Import of a large ratings file, against pandas reading the same file.

    python benchmarks/import_ratings.py                       # generates 26 million lines first
    python benchmarks/import_ratings.py --csv path/ratings.csv --rounds 3

Ours is the whole command ``manage.py import_ratings`` on an empty SQLite database: reading,
checking, sorting, hashing, writing arrays and rows. The peer is one ``pandas.read_csv`` of the
file, which checks nothing. They take turns, one process each.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _runs import HERE, keep
from workload import SHAPES, generate

MANAGE = HERE.parent / "manage.py"
READ = "import sys, pandas; print(len(pandas.read_csv(sys.argv[1])))"


def timed(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Seconds and peak memory of one process; SystemExit with its errors where it fails."""
    load, start = os.getloadavg()[0], time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    errors = process.stderr.read() if process.stderr else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(command)} failed:\n{errors[-3000:]}")
    return {
        "seconds": seconds,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "peak_gb": used.ru_maxrss * 1024 / 1e9,
        "load": load,
    }


def import_once(csv: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "SECRET_KEY": secrets.token_urlsafe(64),
            "STUDYSITE_HOME": home,
            "DATABASE_URL": "",
            "REDIS_URL": "",
        }
        timed([sys.executable, str(MANAGE), "migrate", "--verbosity", "0"], environment)
        command = [sys.executable, str(MANAGE), "import_ratings", str(csv), "--name", "large"]
        return timed(command, environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, help="default: the paper's scale, generated")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    csv = options.csv
    if csv is None:
        csv = Path("var/workload/paper-csv/ratings.csv")
        if not csv.exists():
            print(f"Writing {csv} ...", flush=True)
            generate(SHAPES["paper"], csv.parent, csv=True)
    with csv.open("rb") as lines:
        n_lines = sum(block.count(b"\n") for block in iter(lambda: lines.read(1 << 24), b"")) - 1
    rows: list[dict[str, Any]] = []
    for _ in range(options.rounds):
        rows.append({"name": "ours", **import_once(csv)})
        peer = timed([sys.executable, "-c", READ, str(csv)], dict(os.environ))
        rows.append({"name": "pandas.read_csv", **peer})
    print(f"{'':16}{'seconds':>9}{'cpu s':>8}{'lines/s':>12}{'peak GB':>9}{'load':>6}")
    for row in rows:
        print(
            f"{row['name']:16}{row['seconds']:9.1f}{row['cpu_seconds']:8.1f}"
            f"{n_lines / row['seconds']:12,.0f}{row['peak_gb']:9.2f}{row['load']:6.1f}"
        )
    ours, peers = ([row for row in rows if (row["name"] == "ours") == own] for own in (True, False))
    rounds = [peer["seconds"] / own["seconds"] for own, peer in zip(ours, peers, strict=True)]
    best = [min(row["seconds"] for row in some) for some in (ours, peers)]
    ratio = best[1] / best[0]
    print(
        f"lines per second, ours / pandas, round by round: {', '.join(f'{r:.2f}' for r in rounds)}"
    )
    print(f"the best of each: {ratio:.2f}")
    result = {"lines": n_lines, "rows": rows, "ratio": ratio, "ratio_of_each_round": rounds}
    keep(__file__, result)


if __name__ == "__main__":
    main()
