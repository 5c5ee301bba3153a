"""Reads the systems that a command names."""

from argparse import ArgumentTypeError
from collections.abc import Iterable

from recommender.core.systems import SYSTEMS, present_name


def parse_systems(text: str) -> list[str]:
    """The systems of NAME,NAME, without repetitions; all of them for "all"."""
    if text.strip() == "all":
        return list(SYSTEMS)
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names or (unknown := [name for name in names if name not in SYSTEMS]):
        raise ArgumentTypeError(
            f"there is no system {', '.join(unknown) if names else text!r}; "
            f"choose from: all, {', '.join(SYSTEMS)}"
        )
    return list(dict.fromkeys(names))


def present_systems(names: Iterable[str], preset: str) -> list[str]:
    """What these systems of that preset are called now, without repetitions."""
    return list(dict.fromkeys(present_name(name, preset) for name in names))
