"""What the machine lacks skips a test with the reason; where it is required, it fails."""

import os
import subprocess
import sys

import pytest

from tests.installation import ROOT

READS_PUBLIC_DATA = "tests/recommender/core/readers/test_real_sources.py"


@pytest.mark.parametrize(("required", "status", "word"), [("0", 0, "skipped"), ("1", 1, "error")])
@pytest.mark.parametrize("data", ["", "/nowhere"])
def test_a_test_without_its_public_data_skips_or_fails_with_the_reason(
    data, required, status, word
):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rsE", "-p", "no:cacheprovider", READS_PUBLIC_DATA],
        cwd=ROOT,
        env=os.environ | {"STUDYSITE_DATA": data, "REQUIRE_SERVICES": required},
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, done.stdout
    assert word in done.stdout.splitlines()[-1]
    assert "STUDYSITE_DATA" in done.stdout
    assert "passed" not in done.stdout
