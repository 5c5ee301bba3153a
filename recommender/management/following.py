"""Shows the progress of jobs on standard error: a live bar on a terminal, else plain lines."""

import logging
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, OutputWrapper

from recommender.core.runs import Progress
from recommender.models import Job
from recommender.queues import queue_of
from recommender.selectors import has_live_worker, jobs_in_order

LOOK_SECONDS = 0.3
NO_WORKER_SECONDS = 10.0
BAR_WIDTH = 10
LINE_SECONDS = 60.0  # where there is no terminal


def no_worker(ids: Iterable[UUID]) -> CommandError:
    return CommandError(
        f"No worker was seen for {NO_WORKER_SECONDS:.0f} s; the jobs stay queued. Start one with "
        "'make worker' (or: celery -A studysite worker -P threads -c 1), then follow the "
        f"jobs with: manage.py follow_jobs {' '.join(map(str, ids))}",
        returncode=3,
    )


def interrupted(ids: Iterable[UUID], what: str) -> CommandError:
    listed = " ".join(map(str, ids))
    how = f"Follow: manage.py follow_jobs {listed} · Cancel: manage.py cancel_jobs {listed}"
    return CommandError(f"{what} {how}", returncode=130)


class Display:
    """One line that is redrawn on a terminal; elsewhere a line a minute and at each new phase."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._is_terminal = self._stream.isatty()
        self._drawn = ""
        self._said: tuple[object, ...] = ()
        self._said_at = 0.0

    def show(self, label: str, step: Progress, *, with_rate: bool = True) -> None:
        parts, now = [step.phase], time.monotonic()
        if step.epoch:
            parts.append(f"pass {step.epoch}")
        if step.loss is not None:
            parts.append(f"loss {step.loss:.4f}")
        if step.seconds_left is not None:
            parts.append(f"{format_duration(step.seconds_left)} left")
        if step.seconds_left and with_rate:
            parts.append(f"{(step.total - step.done) / step.seconds_left:,.0f}/s")
        if self._is_terminal:
            line = f"{label:<12} {progress_bar(step.share)} {', '.join(parts)}"
            self._draw(line[: shutil.get_terminal_size().columns - 1])  # a wrapped line stays
        elif self._said != (label, step.phase, step.epoch) or now - self._said_at >= LINE_SECONDS:
            self._said, self._said_at = (label, step.phase, step.epoch), now
            self._write(f"{label}: {', '.join(parts)}\n")

    def print_line(self, line: str) -> None:
        if self._drawn:
            self._draw("")
            self._write("\r")
        self._write(f"{line}\n")

    def _draw(self, line: str) -> None:
        self._write("\r" + line.ljust(len(self._drawn)))
        self._drawn = line

    def _write(self, text: str) -> None:
        self._stream.write(text, style_func=str, ending="")  # Django paints standard error red
        self._stream.flush()


def progress_bar(share: float | None) -> str:
    if share is None:
        return " " * (BAR_WIDTH + 5)
    full = round(min(1.0, share) * BAR_WIDTH)
    return "█" * full + "░" * (BAR_WIDTH - full) + f" {share:>4.0%}"


def format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 24:
        return f"{hours} h"
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def follow_jobs(
    labels: dict[UUID, str], *, display: Display, do: Callable[[UUID], None] | None = None
) -> list[Job]:
    """Wait until every job has ended; CommandError if no worker is seen while jobs are left.

    ``do`` runs a job in this process, so that no worker is needed.
    """
    ended: set[UUID] = set()
    waiting_since = time.monotonic()
    try:
        while True:
            jobs = jobs_in_order(labels)
            for job in jobs:
                if job.has_ended and job.pk not in ended:
                    ended.add(job.pk)
                    display.print_line(describe_ending(labels[job.pk], job))
            left = [job for job in jobs if not job.has_ended]
            if not left:
                return jobs
            idle = [job for job in left if job.is_idle]
            if do is not None and idle:
                do(idle[0].pk)
                continue
            if len(idle) < len(left) or has_worker_for(idle):
                waiting_since = time.monotonic()
            elif time.monotonic() - waiting_since > NO_WORKER_SECONDS:
                raise no_worker(job.pk for job in left)
            shown = next((job for job in left if job not in idle), left[0])
            step = shown.progress
            if shown in idle:
                step = replace(step, phase="waiting for a worker")
            display.show(labels[shown.pk], step)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        left_over = (job_id for job_id in labels if job_id not in ended)
        raise interrupted(left_over, "The jobs continue in the background.") from None


def has_worker_for(jobs: Iterable[Job]) -> bool:
    """Whether a worker was seen lately that serves the queue of one of these jobs."""
    queues = set(map(queue_of, jobs))
    return any(has_live_worker(NO_WORKER_SECONDS, queue=queue) for queue in queues)


def describe_ending(label: str, job: Job) -> str:
    if job.is_partial:
        return f"{label}: partial, because its time ran out. Repeat the command to resume"
    reason = f": {job.error}" if job.error and job.status != Job.Status.DONE else ""
    return f"{label}: {job.status}{reason}"


def run_in_process(label: str, job_id: UUID, start: Callable[..., Any], display: Display) -> None:
    """Run a job in this process; Ctrl-C puts it back into the queue."""
    from recommender.jobs import Crashed  # loads torch

    # The display shows what the log would say.
    logging.getLogger("recommender").setLevel(logging.WARNING)
    try:
        start(watch=lambda step: display.show(label, step))
    except KeyboardInterrupt:
        raise interrupted([job_id], "The job was put back into the queue.") from None
    except Crashed as error:
        raise CommandError(
            f"{label}: {error}. --traceback shows where. The job waits for another attempt: "
            f"manage.py follow_jobs --inline {job_id}"
        ) from error
