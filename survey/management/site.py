"""At which address people reach the pages, for commands that write it down."""

from __future__ import annotations

import fcntl
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings

#: Held by a demo as long as it runs; it says at which address.
LOCK = "demo.lock"


def site_url() -> str:
    """That of the demo which runs in this home, whatever its port; else the SITE_URL."""
    return _demo() or settings.SITE_URL


def note_on_site() -> str:
    """A warning where the addresses lead nowhere but on this machine; "" where they are public."""
    site = site_url()
    if urlsplit(site).hostname not in {"localhost", "127.0.0.1", "::1"}:
        return ""
    return (
        f"Note: the links begin with {site} and work on this machine alone. Set SITE_URL to the "
        "public address before you make links to send."
    )


def _demo() -> str:
    try:
        with (Path(settings.STUDYSITE_HOME) / LOCK).open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return lock.read().strip()
    except OSError:
        pass
    return ""
