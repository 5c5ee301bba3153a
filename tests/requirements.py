"""What a test needs of the machine: skipped with the reason, or failed where it is required."""

import os

import pytest


def need(condition: object, reason: str) -> None:
    """Skip the running test unless ``condition`` holds; REQUIRE_SERVICES=1 makes it a failure."""
    if condition:
        return
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1, but {reason}", pytrace=False)
    pytest.skip(reason)
