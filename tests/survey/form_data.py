"""What the form of a question sends, and whether a name stands in what is sent back."""

import re
from collections.abc import Iterable
from typing import Any

#: Secrets of a visitor's own are drawn, and might hold any short word or number.
DRAWN = re.compile(r"[\w-]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHORT = 8


def fields(page: dict[str, Any], choice: str = "left", **more: str) -> dict[str, str]:
    sent = {
        "assignment": page["assignment_key"],
        "shown": page["shown"],
        "revision": str(page["revision"]),
    }
    return sent | {"choice": choice} | more


def named(names: Iterable[str], said: str) -> list[str]:
    """Those that stand in it, in small letters or large; a short one not within what is drawn."""
    whole, plain = said.lower(), without_drawn(said).lower()
    return [name for name in names if name.lower() in (plain if len(name) < SHORT else whole)]


def without_drawn(said: str) -> str:
    return DRAWN.sub("", said)
