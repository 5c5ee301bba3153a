"""Kombu's filesystem transport, made safe for a reader or a kill in the middle of a write."""

import json
import logging
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem

logger = logging.getLogger(__name__)
LOOK_UP_SECONDS = 0.3


class Channel(filesystem.Channel):
    """Messages and bindings appear whole, by a rename, and go in one step, by an unlink.

    The original fills files in place (a reader takes a half-written message, a kill leaves a
    binding that no later worker can read) and moves a message through the system's temporary
    folder, where a kill leaves it behind.
    """

    def _put(self, queue: Any, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time.time_ns():020d}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: Any, timeout: Any = None) -> Any:
        for file in sorted(Path(self.data_folder_in).glob(f"[0-9]*.{queue}.msg")):
            try:
                text = file.read_bytes()
                file.unlink()
                return json.loads(text)
            except FileNotFoundError:
                continue  # another worker was first: only one unlink of a file succeeds
            except ValueError as error:
                # The job's row is there still, and the reconciler sends another message.
                logger.warning("%s was damaged and is dropped: %s", file, error)
        raise Empty

    def get_table(self, exchange: Any) -> list[Any]:
        try:
            return list(super().get_table(exchange))
        except ValueError as error:  # what a power cut left of it; the next binding writes it anew
            logger.warning("the bindings of %r were damaged: %s", exchange, error)
            return []

    def _queue_bind(self, exchange: Any, routing_key: Any, pattern: Any, queue: Any) -> None:
        binding = [routing_key or "", pattern or "", queue or ""]
        known = [list(row) for row in self.get_table(exchange)]
        if binding not in known:
            _write_whole(self._exchange_file(exchange), [binding, *known])


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: Any = None) -> None:  # type: ignore[override]
        # The worker asks for 2 s at a time and sees only in between that it was told to end.
        super().drain_events(connection, min(timeout or LOOK_UP_SECONDS, LOOK_UP_SECONDS))


def _write_whole(file: Path, content: Any) -> None:
    # A queue folder that was cleared away while processes run must not stop every later job.
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{uuid.uuid4()}.partial")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.rename(file)
