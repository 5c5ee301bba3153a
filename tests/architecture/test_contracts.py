"""Each import contract can fail: one forbidden line in a copy of the tree breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).resolve().parents[2]
LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    for package in ("studysite", "recommender", "survey"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LINT, "--contract", contract], cwd=folder, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("one-way", "recommender/selectors.py", "import survey.models"),
        ("pure-libraries", "recommender/core/metrics.py", "import django"),
        ("pure-libraries", "survey/pairing.py", "from django.conf import settings"),
        ("no-torch-in-the-web", "survey/access.py", "import torch"),
        ("no-torch-in-the-web", "survey/figures.py", "import matplotlib"),
        ("no-torch-in-the-web", "recommender/loaders.py", "import recommender.core.training"),
        ("one-lazy-door", "recommender/store.py", "import recommender.jobs"),
        ("survey-layers", "survey/models/studies.py", "import survey.access"),
        ("core-layers", "recommender/core/ratings.py", "import recommender.core.splitting"),
    ],
)
def test_a_forbidden_import_breaks_its_contract(copy, contract, module, line):
    file = copy / module
    before = file.read_text()
    try:
        file.write_text(f"{before}\n{line}\n")
        done = lint(copy, contract)
    finally:
        file.write_text(before)
    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout
