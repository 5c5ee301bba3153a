"""How the fields of a configuration that lie outside their limits are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recommender.core.errors import ConfigurationError


def check(config: Any, limits: Mapping[str, tuple[bool, str]]) -> None:
    """Raise ConfigurationError that names field, value and range of all that are not kept.

    ``limits``: for each field whether it is as it must be, and how it must be, in words.
    """
    wrong = [
        f"{name}={getattr(config, name)!r} ({words})"
        for name, (kept, words) in limits.items()
        if not kept
    ]
    if wrong:
        raise ConfigurationError(f"The autoencoder cannot be trained with {', '.join(wrong)}.")
