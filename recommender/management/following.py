"""Shows the progress of jobs on standard error: a live bar on a terminal, else plain lines."""

import logging
import shutil
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, OutputWrapper

from recommender.core.systems import Progress
from recommender.selectors import JobProgress, has_live_worker, job_progress, work_rate

LOOK_SECONDS = 0.3
NO_WORKER_SECONDS = 10.0
BAR_WIDTH = 10
LINE_SECONDS = 60.0  # where there is no terminal
INTERRUPTED = 130
START_A_WORKER = (
    "Start one with 'make worker' (or: celery -A studysite worker -P threads -c 1 -Q device), "
    "then follow the jobs with: manage.py follow_jobs {ids}"
)


class NoWorker(CommandError):
    def __init__(self, ids: Sequence[UUID]) -> None:
        listed = " ".join(str(job_id) for job_id in ids)
        super().__init__(
            f"No worker was seen for {NO_WORKER_SECONDS:.0f} s; the jobs stay queued. "
            + START_A_WORKER.format(ids=listed),
            returncode=3,
        )


class Interrupted(CommandError):
    def __init__(
        self, ids: Sequence[UUID], what: str = "The jobs continue in the background."
    ) -> None:
        listed = " ".join(str(job_id) for job_id in ids)
        super().__init__(
            f"{what} Follow: manage.py follow_jobs {listed} · "
            f"Cancel: manage.py cancel_jobs {listed}",
            returncode=INTERRUPTED,
        )


class Display:
    """One line that is redrawn on a terminal; elsewhere a line a minute and at each new phase."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._is_terminal = self._stream.isatty()
        self._drawn = ""
        self._said: tuple[object, ...] = ()
        self._said_at = 0.0

    def progress(self, label: str, step: Progress) -> None:
        share = step.done / step.total if step.total else None
        pace = work_rate(step.done, step.total, step.seconds_left)
        self.show(label, step.phase, share, step.epoch, step.loss, step.seconds_left, pace)

    def show(
        self,
        label: str,
        phase: str,
        share: float | None,
        epoch: int,
        loss: float | None,
        seconds_left: float | None,
        pace: float | None = None,
    ) -> None:
        parts, now = [phase], time.monotonic()
        if epoch:
            parts.append(f"pass {epoch}")
        if loss is not None:
            parts.append(f"loss {loss:.4f}")
        if seconds_left is not None:
            parts.append(f"{format_duration(seconds_left)} left")
        if pace is not None:
            parts.append(f"{pace:,.0f}/s")
        if self._is_terminal:
            line = f"{label:<12} {progress_bar(share)} {', '.join(parts)}"
            self._draw(line[: shutil.get_terminal_size().columns - 1])  # a wrapped line stays
        elif self._said != (label, phase, epoch) or now - self._said_at >= LINE_SECONDS:
            self._said, self._said_at = (label, phase, epoch), now
            self._write(f"{label}: {', '.join(parts)}\n")

    def say(self, line: str) -> None:
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
) -> list[JobProgress]:
    """Wait until every job has ended; NoWorker if no worker is seen while jobs are left.

    ``do`` runs a job in this process, so that no worker is needed.
    """
    ids = list(labels)
    ended: set[UUID] = set()
    waiting_since = time.monotonic()
    try:
        while True:
            states = job_progress(ids)
            for state in states:
                if state.has_ended and state.id not in ended:
                    ended.add(state.id)
                    display.say(describe_ending(labels[state.id], state))
            left = [state for state in states if not state.has_ended]
            if not left:
                return states
            idle = [state.id for state in left if state.is_idle]
            if do is not None and idle:
                do(idle[0])
                continue
            if any(not state.is_idle for state in left) or has_live_worker(NO_WORKER_SECONDS):
                waiting_since = time.monotonic()
            elif time.monotonic() - waiting_since > NO_WORKER_SECONDS:
                raise NoWorker([state.id for state in left])
            _show(display, labels, left)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        raise Interrupted([job_id for job_id in ids if job_id not in ended]) from None


def _show(display: Display, labels: dict[UUID, str], left: list[JobProgress]) -> None:
    now = next((state for state in left if not state.is_idle), left[0])
    phase = "waiting for a worker" if now.is_idle else now.phase
    display.show(labels[now.id], phase, now.share, now.epoch, now.loss, now.seconds_left, now.rate)


def describe_ending(label: str, state: JobProgress) -> str:
    if state.is_partial:
        return f"{label}: partial, because its time ran out. Repeat the command to resume"
    reason = f": {state.error}" if state.error and state.status != "done" else ""
    return f"{label}: {state.status}{reason}"


def run_in_process(label: str, job_id: UUID, start: Callable[..., Any], display: Display) -> None:
    """Run a job in this process; Ctrl-C puts it back into the queue."""
    from recommender.jobs import Crashed  # loads torch

    # The display shows what the log would say.
    logging.getLogger("recommender").setLevel(logging.WARNING)
    try:
        start(watch=lambda step: display.progress(label, step))
    except KeyboardInterrupt:
        raise Interrupted([job_id], "The job was put back into the queue.") from None
    except Crashed as error:
        raise CommandError(
            f"{label}: {error}. --traceback shows where. The job waits for another attempt: "
            f"manage.py follow_jobs --inline {job_id}"
        ) from error
