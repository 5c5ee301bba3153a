"""Keeps a claimed job: a thread renews its lease, writes progress and reads stop requests."""

import enum
import logging
import threading
import time
from collections.abc import Callable
from typing import Self

from django.conf import settings
from django.db import Error, connection

from recommender.core.errors import Cancelled
from recommender.core.runs import Progress, ignore_progress
from recommender.services.claims import Claim, LostClaim, heartbeat, release_job

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0  # between two heartbeats, each of which writes the progress
WATCH_SECONDS = 0.2  # between two calls of a listener in this process

_held: set["Lease"] = set()


class StopReason(enum.Enum):
    """Why a run has to end before its work is done."""

    CANCEL = "cancelled by request"
    TIME = "out of time"
    SHUTDOWN = "the worker shuts down"
    LOST = "taken over by another worker"


class Stopped(Cancelled):
    """Raised by ``report``, and so out of any loop that reports its progress."""


class Lease:
    """Holds a claim while a job runs; ``report`` is the progress callback and raises Stopped."""

    def __init__(
        self,
        claim: Claim,
        *,
        time_limit_seconds: int | None = None,
        worked_before: float = 0.0,
        watch: Callable[[Progress], None] = ignore_progress,
    ) -> None:
        self.claim = claim
        self.stop: StopReason | None = None
        self.worked_before = worked_before
        self._limit = time_limit_seconds
        self._watch = watch
        self._watched_at = 0.0
        self._progress = Progress(phase="starting")
        self._working_since: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        _held.add(self)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        _held.discard(self)
        self._ended.set()
        # Do not wait for a heartbeat that hangs in the database: the claim fences it.
        self._thread.join(timeout=2 * BEAT_SECONDS)
        if kind is not None and self.stop is not StopReason.LOST:
            self._renew()  # so that the next attempt knows the full time worked

    def report(self, progress: Progress) -> None:
        self._progress = progress
        now = time.monotonic()
        if now - self._watched_at >= WATCH_SECONDS:
            self._watched_at = now
            self._watch(progress)
        if self.stop is not None:
            raise Stopped(f"Stopped: {self.stop.value}.")

    def phase(self, name: str) -> None:
        self._watched_at = 0.0
        self.report(Progress(phase=name))

    def begin_work(self) -> None:
        """Start the clock of the time limit, which excludes waiting for the device."""
        self._working_since = time.monotonic()

    def worked_seconds(self) -> float:
        """The time of this attempt and all earlier ones."""
        since = self._working_since
        return self.worked_before + (0.0 if since is None else time.monotonic() - since)

    def _beat(self) -> None:
        beat = min(BEAT_SECONDS, settings.JOB_LEASE_SECONDS / 4)
        try:
            # Also after a stop request: no other worker may start before this run has stopped.
            while self.stop is not StopReason.LOST and not self._ended.wait(beat):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        worked = self.worked_seconds()
        try:
            cancelled = heartbeat(self.claim, progress=self._progress, worked_seconds=worked)
        except LostClaim:
            self.stop = StopReason.LOST
            return
        except Error as error:
            # The lease outlives a few missed heartbeats. If it lapses, the claim is lost.
            logger.warning("job %s: no heartbeat: %s", self.claim.job_id, error)
            connection.close()  # the next heartbeat opens a new one
            return
        if cancelled:
            self.stop = StopReason.CANCEL
        elif self._limit is not None and worked > self._limit:
            self.stop = self.stop or StopReason.TIME


def stop_runs() -> None:
    """Ask every run of this process to stop and put its job back; safe in a signal handler."""
    for lease in list(_held):
        lease.stop = lease.stop or StopReason.SHUTDOWN


def release_jobs() -> None:
    """Put back the jobs of runs that did not stop when asked, before the process ends."""
    for lease in list(_held):
        try:
            release_job(lease.claim)
        except (LostClaim, Error) as error:
            logger.warning("job %s was not put back: %s", lease.claim.job_id, error)
