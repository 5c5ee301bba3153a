"""A test that lacks something on this machine is skipped with the reason, or fails if required."""

import os
import subprocess
import sys

import pytest

from tests.installation import ROOT
from tests.requirements import need, public_data


@pytest.fixture(params=["0", "1"])
def outcome(request, monkeypatch):
    """The exception that a missing requirement raises, with REQUIRE_SERVICES off and on."""
    monkeypatch.setenv("REQUIRE_SERVICES", request.param)
    return {"0": pytest.skip.Exception, "1": pytest.fail.Exception}[request.param]


def test_a_missing_requirement_skips_or_fails_with_the_reason(outcome):
    with pytest.raises(outcome, match="no PostgreSQL"):
        need(False, "there is no PostgreSQL")


@pytest.mark.parametrize("folder", ["", "/nowhere"])
def test_public_data_must_be_a_folder(outcome, monkeypatch, folder):
    monkeypatch.setenv("STUDYSITE_DATA", folder)
    with pytest.raises(outcome, match="STUDYSITE_DATA"):
        public_data()


def test_public_data_is_found_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("STUDYSITE_DATA", str(tmp_path))
    assert public_data() == tmp_path


def test_the_public_data_holds_the_data_sets_that_tests_read(real_data):
    assert {"ml-latest-small", "ml-100k"} <= {folder.name for folder in real_data.iterdir()}


@pytest.mark.process
def test_tests_on_public_data_can_be_left_out_and_are_counted():
    chosen = [__file__, "-k", "found_by_the_environment or holds_the_data_sets"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "1", *chosen],
        cwd=ROOT,
        env=os.environ | {"STUDYSITE_DATA": "none", "REQUIRE_SERVICES": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 test on public data deselected")
