"""Actions of many threads that start together."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError, connection

from survey.errors import StudyError

PATIENCE = 900  # seconds


def at_once(actions: Iterable[Callable[[], Any]]) -> list[Any]:
    """What the actions give, each in a thread of its own, all starting together."""
    actions = list(actions)
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], Any]) -> Any:
        start.wait()
        try:
            wait_long()
            return action()
        except (StudyError, DatabaseError) as error:
            return type(error).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def wait_long() -> None:
    """SQLite keeps no queue: of so many who want to write, the last may wait for minutes."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE}")
