"""A broker without a server: each message is one file in a folder that all processes share."""

import json
import logging
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import virtual

logger = logging.getLogger(__name__)
LONGEST_WAIT_SECONDS = 0.3


class Channel(virtual.Channel):
    """Implements the methods that kombu asks of a virtual transport.

    A message appears by a rename and is taken by an unlink, so that no reader sees a half-written
    one, only one worker gets it, and a killed process leaves nothing behind that stops the next.
    """

    @property
    def folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        # Somebody may clear the queue while processes run; later jobs must still be sent.
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{uuid.uuid4()}.partial"
        partial.write_text(json.dumps(message), encoding="utf-8")
        priority = self._get_message_priority(message)
        name = f"{priority}-{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        partial.rename(self.folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for file in self._messages(queue):
            try:
                text = file.read_bytes()
                file.unlink()
                return json.loads(text)
            except FileNotFoundError:
                continue  # another worker took it: only one unlink of a file succeeds
            except ValueError as error:
                # The job's row still exists, and the reconciler sends another message.
                logger.warning("dropped the damaged message %s: %s", file, error)
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._messages(queue))

    def _purge(self, queue: str) -> int:
        messages = self._messages(queue)
        for file in messages:
            file.unlink(missing_ok=True)
        return len(messages)

    def _messages(self, queue: str) -> list[Path]:
        """Most urgent first, then oldest: names begin with the priority and the time of sending.

        Those of earlier versions, without a priority, follow those of priority 0.
        """
        return sorted(self.folder.glob(f"[0-9]*.{queue}.msg"))


class Transport(virtual.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: Any = None) -> None:  # type: ignore[override]
        # Celery asks for 2 s at a time and notices a shutdown request only in between.
        wait = min(timeout or LONGEST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        super().drain_events(connection, wait)
