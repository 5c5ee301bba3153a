"""One installation for all races, on a SQLite file or on PostgreSQL."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, own_database


@pytest.fixture(scope="session")
def races(tmp_path_factory) -> dict[str, Any]:
    """The results of all races, by module; the workers of one test run share them."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    kept = folder / "races.json"
    with (folder / "races.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(run_all(tmp_path_factory.mktemp("races")))
    return json.loads(kept.read_text())


def run_all(home: Path) -> str:
    with own_database(home) as database:
        site = Installation(home, DATABASE_URL=database)
        site.manage("migrate", "--verbosity", "0")
        return site.run("-m", "tests.races").stdout
