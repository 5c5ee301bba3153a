"""The public address of the pages, for commands that print or store links, and the demo's lock."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import CommandError

#: Locked by a running demo, which writes its address into it.
LOCK = "demo.lock"


@contextmanager
def lock_home(home: Path, url: str) -> Iterator[None]:
    """Lock the home: two demos would share a queue and a database. The lock ends with the process.

    The lock file contains the demo's address, which other commands print.
    """
    with (home / LOCK).open("a", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(
                f"A demo is already running in {home}. Stop it, or set another STUDYSITE_HOME."
            ) from None
        lock.truncate(0)
        lock.write(url)
        lock.flush()
        yield


def current_site_url() -> str:
    """The address of the demo running in this home, whatever its port; otherwise SITE_URL."""
    return _demo_url() or settings.SITE_URL


def localhost_warning() -> str:
    """A warning if the address works on this machine only; "" if it is public."""
    site = current_site_url()
    if urlsplit(site).hostname not in {"localhost", "127.0.0.1", "::1"}:
        return ""
    return (
        f"Note: the links begin with {site} and work on this machine only. Set SITE_URL to the "
        "public address before you make links to send."
    )


def _demo_url() -> str:
    try:
        with (Path(settings.STUDYSITE_HOME) / LOCK).open(encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return lock.read().strip()
    except OSError:
        pass
    return ""
