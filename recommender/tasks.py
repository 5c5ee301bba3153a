"""The Celery task that runs a job, and the thread by which a worker looks after the job rows."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.db import Error, close_old_connections, connection

from recommender import lease
from recommender.services.claims import new_owner
from recommender.services.reconciling import (
    drop_message,
    forget_worker,
    reconcile,
    record_worker,
    remove_stray_files,
)

logger = logging.getLogger(__name__)
ROUND_SECONDS = 2.0  # between two rounds of the reconciler, which also report the worker
GRACE_SECONDS = 5.0  # for running jobs to stop by themselves when the worker shuts down

_leaving = threading.Event()


@shared_task(name="recommender.run_job")
def handle_message(job_id: str) -> None:
    from recommender import jobs  # loads torch, which the web process must not do

    if _leaving.is_set():
        drop_message(UUID(job_id))
    else:
        jobs.run_job(UUID(job_id), owner=new_owner())


class Reconciler(threading.Thread):
    """Reports this worker and sends lost jobs again."""

    def __init__(self, *, worker: str, queues: list[str]) -> None:
        super().__init__(name="reconciler", daemon=True)
        self.worker, self.queues = worker, queues
        self._ended = threading.Event()

    def stop(self) -> None:
        self._ended.set()
        self.join(timeout=ROUND_SECONDS)

    def run(self) -> None:
        pause = min(ROUND_SECONDS, settings.JOB_LEASE_SECONDS / 4)
        self._guard(remove_stray_files)
        while not _leaving.is_set():
            self._guard(self._round)
            if self._ended.wait(pause):
                break
        self._guard(lambda: forget_worker(name=self.worker))
        connection.close()

    def _round(self) -> None:
        record_worker(name=self.worker, queues=self.queues)
        reconcile()

    def _guard(self, step: Callable[[], object]) -> None:
        try:
            close_old_connections()
            step()
        except (Error, OSError) as error:
            logger.warning("could not check the jobs, will retry soon: %s", error)


_reconcilers: list[Reconciler] = []


@worker_ready.connect
def start_reconciler(sender: Any, **kwargs: Any) -> None:
    queues = sorted(sender.app.amqp.queues.consume_from)
    reconciler = Reconciler(worker=f"{sender.hostname}:{os.getpid()}", queues=queues)
    _reconcilers.append(reconciler)
    reconciler.start()


@worker_shutting_down.connect
def put_jobs_back(**kwargs: Any) -> None:
    """Stop running jobs at once; called in the signal handler, since a training may take hours."""
    _leaving.set()
    lease.stop_runs()
    threading.Thread(target=_leave_anyway, name="leave", daemon=True).start()


@worker_shutdown.connect
def stop_reconcilers(**kwargs: Any) -> None:
    for reconciler in _reconcilers:
        reconciler.stop()


def _leave_anyway() -> None:
    """Put back the jobs of runs that did not stop in time, then end the process."""
    time.sleep(GRACE_SECONDS)
    lease.release_jobs()
    for reconciler in _reconcilers:
        reconciler.stop()
    os._exit(0)
