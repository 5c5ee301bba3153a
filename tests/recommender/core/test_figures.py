"""The documents quote the stored figures of the benchmarks."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_error_tables_in_the_documents_are_the_stored_ones():
    """To update them: ``python benchmarks/real_data.py --markdown``, into docs/algorithms.md."""
    command = [sys.executable, ROOT / "benchmarks" / "real_data.py", "--markdown"]
    tables = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    shown = (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in tables.splitlines() if line and line not in shown] == []


def test_the_tables_of_the_papers_choices_are_the_stored_ones():
    """To update them: ``python benchmarks/selection.py --into docs/selection.md``."""
    command = [sys.executable, ROOT / "benchmarks" / "selection.py", "--markdown"]
    tables = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert tables in (ROOT / "docs" / "selection.md").read_text(encoding="utf-8")
