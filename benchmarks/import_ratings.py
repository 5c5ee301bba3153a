"""Reading and importing a large file of ratings, compared with libraries that only parse it.

    python benchmarks/import_ratings.py                       # generates 26 million lines first
    python benchmarks/import_ratings.py --csv path/ratings.csv --rounds 3
    python benchmarks/import_ratings.py --baseline ../older-checkout

``import`` is the whole command ``manage.py import_ratings`` on an empty SQLite database: hashing,
reading, checking, sorting, writing arrays and rows. ``read`` is ``read_source`` alone. The others
parse the file with a library and check nothing. They take turns, one process each. ``baseline``
is the import of another checkout of this repository, in the same Python environment.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from _runs import HERE, keep
from workload import SHAPES, generate

READERS = {
    "read": "from pathlib import Path; from recommender.core.readers.source import read_source;"
    "read_source(Path(sys.argv[1]))",
    "pandas": "import pandas; pandas.read_csv(sys.argv[1])",
    "pyarrow": "import pyarrow.csv; pyarrow.csv.read_csv(sys.argv[1])",
    "polars": "import polars; polars.read_csv(sys.argv[1])",
}


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


def import_once(csv: Path, checkout: Path) -> dict[str, float]:
    manage = str(checkout / "manage.py")
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **os.environ,
            "SECRET_KEY": secrets.token_urlsafe(64),
            "STUDYSITE_HOME": home,
            "DATABASE_URL": "",
            "REDIS_URL": "",
        }
        timed([sys.executable, manage, "migrate", "--verbosity", "0"], environment)
        command = [sys.executable, manage, "import_ratings", str(csv), "--name", "large"]
        return timed(command, environment)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=Path, help="default: the paper's scale, generated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--baseline", type=Path, help="another checkout, to import with as well")
    options = parser.parse_args()
    csv = options.csv
    if csv is None:
        csv = Path("var/workload/paper-csv/ratings.csv")
        if not csv.exists():
            print(f"Writing {csv} ...", flush=True)
            generate(SHAPES["paper"], csv.parent, csv=True)
    with csv.open("rb") as lines:
        n_lines = sum(block.count(b"\n") for block in iter(lambda: lines.read(1 << 24), b"")) - 1
    readers = {name: code for name, code in READERS.items() if name == "read" or find_spec(name)}
    rows: list[dict[str, Any]] = []
    for _ in range(options.rounds):
        rows.append({"name": "import", **import_once(csv, HERE.parent)})
        if options.baseline:
            rows.append({"name": "baseline", **import_once(csv, options.baseline.resolve())})
        for name, code in readers.items():
            command = [sys.executable, "-c", f"import sys; {code}", str(csv)]
            rows.append({"name": name, **timed(command, dict(os.environ))})
    print(f"{'':10}{'seconds':>9}{'cpu s':>8}{'lines/s':>12}{'peak GB':>9}{'load':>6}")
    for row in rows:
        print(
            f"{row['name']:10}{row['seconds']:9.1f}{row['cpu_seconds']:8.1f}"
            f"{n_lines / row['seconds']:12,.0f}{row['peak_gb']:9.2f}{row['load']:6.1f}"
        )
    names = dict.fromkeys(row["name"] for row in rows)
    best = {
        kind: {name: min(row[kind] for row in rows if row["name"] == name) for name in names}
        for kind in ("seconds", "cpu_seconds")
    }
    ratios = {
        kind: {name: times["pandas"] / times[name] for name in names}
        for kind, times in best.items()
    }
    print("lines per second, and per processor second, relative to pandas; the best round of each:")
    for name in names:
        print(f"  {name:10}{ratios['seconds'][name]:6.2f}{ratios['cpu_seconds'][name]:6.2f}")
    keep(__file__, {"lines": n_lines, "rows": rows, "relative_to_pandas": ratios})


if __name__ == "__main__":
    main()
