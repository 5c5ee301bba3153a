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
from recommender.machine import has_card
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

_shutting_down = threading.Event()
_reconcilers: list[threading.Thread] = []


@shared_task(name="recommender.run_job")
def handle_message(job_id: str) -> None:
    from recommender import jobs  # loads torch, which the web process must not do

    if _shutting_down.is_set():
        drop_message(UUID(job_id))
    else:
        jobs.run_job(UUID(job_id), owner=new_owner())


def run_reconciler(worker: str, queues: list[str]) -> None:
    """Report this worker and send lost jobs again, until the worker leaves."""
    pause = min(ROUND_SECONDS, settings.JOB_LEASE_SECONDS / 4)
    _try(record_worker, name=worker, queues=queues)  # before torch is loaded
    card = has_card()
    _try(remove_stray_files)
    while not _shutting_down.is_set():
        _try(record_worker, name=worker, queues=queues, has_card=card)
        _try(reconcile)
        _shutting_down.wait(pause)
    _try(forget_worker, name=worker)
    connection.close()


def _try(step: Callable[..., object], **arguments: Any) -> None:
    try:
        close_old_connections()
        step(**arguments)
    except (Error, OSError) as error:
        logger.warning("could not check the jobs, will retry soon: %s", error)


@worker_ready.connect
def start_reconciler(sender: Any, **kwargs: Any) -> None:
    queues = sorted(sender.app.amqp.queues.consume_from)
    worker = f"{sender.hostname}:{os.getpid()}"
    thread = threading.Thread(
        target=run_reconciler, args=(worker, queues), name="reconciler", daemon=True
    )
    _reconcilers.append(thread)
    thread.start()


@worker_shutting_down.connect
def put_jobs_back(**kwargs: Any) -> None:
    """Stop running jobs at once; called in the signal handler, since a training may take hours."""
    _shutting_down.set()
    lease.stop_runs()
    threading.Thread(target=_exit_after_grace, name="leave", daemon=True).start()


@worker_shutdown.connect
def stop_reconcilers(**kwargs: Any) -> None:
    _shutting_down.set()
    for thread in _reconcilers:
        thread.join(timeout=ROUND_SECONDS)


def _exit_after_grace() -> None:
    """Put back the jobs of runs that did not stop in time, then end the process."""
    time.sleep(GRACE_SECONDS)
    lease.release_jobs()
    stop_reconcilers()
    os._exit(0)
