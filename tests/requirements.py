"""What a test needs of the machine. Without it the test is skipped, or fails if it is required."""

import os
from pathlib import Path

import pytest

NO_DATA = "none"  #: the value of STUDYSITE_DATA that leaves out the tests on public data


def need(condition: object, reason: str) -> None:
    """Skip the running test unless ``condition`` holds; REQUIRE_SERVICES=1 makes it a failure."""
    if condition:
        return
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def public_data() -> Path:
    """The folder of the public data sets."""
    place = os.environ.get("STUDYSITE_DATA", "")
    need(place, "STUDYSITE_DATA names no folder of public data sets")
    need(Path(place).is_dir(), f"STUDYSITE_DATA={place} is no folder")
    return Path(place)
