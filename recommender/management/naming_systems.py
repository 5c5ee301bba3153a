"""Reads the systems that a command names."""

from argparse import ArgumentTypeError

from recommender.core.systems import SYSTEMS


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
