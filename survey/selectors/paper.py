"""The newest report of the paper's tables and figures on a data set, and the job that makes one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender import store
from recommender.models import Dataset, Job
from recommender.queues import INFERENCE
from recommender.selectors import has_live_worker, read_report, report_jobs
from survey.selectors.preparing import WORKER_SILENCE_SECONDS

USUAL_SPLIT = "time-90-10"


@dataclass(frozen=True)
class PaperReport:
    """``made`` is the job of the newest report and ``facts`` what it found; empty without one.

    ``job`` is a newer job that has not made a report (yet). ``damage`` says what is wrong with the
    stored report; then there are no ``facts``. ``lacks_worker``: the job waits, and no worker is
    alive that could run it.
    """

    dataset: Dataset
    made: Job | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    job: Job | None = None
    damage: str = ""
    lacks_worker: bool = False

    @property
    def exhibits(self) -> Sequence[dict[str, Any]]:
        return self.facts.get("exhibits", ())

    @property
    def files(self) -> Sequence[str]:
        return self.facts.get("files", ())

    @property
    def is_busy(self) -> bool:
        return self.job is not None and not self.job.has_ended

    @property
    def command(self) -> str:
        """What makes the report that is shown, of the same split, again."""
        return self._command_of(self.made or self.job)

    @property
    def retry_command(self) -> str:
        """What submits the newer job again."""
        return self._command_of(self.job)

    def _command_of(self, job: Job | None) -> str:
        split = job.params.get("split", USUAL_SPLIT) if job else USUAL_SPLIT
        option = f" --split {split}" if split != USUAL_SPLIT else ""
        return f"manage.py paper_report {self.dataset.name}{option}"


def paper_report(dataset: Dataset) -> PaperReport:
    jobs = report_jobs(dataset=dataset)
    newest = jobs[0] if jobs else None
    made = next((job for job in jobs if job.status == Job.Status.DONE), None)
    job = None if newest is made else newest
    waits = job is not None and job.is_idle
    lacks = waits and not has_live_worker(WORKER_SILENCE_SECONDS, queue=INFERENCE)
    known: dict[str, Any] = {"made": made, "job": job, "lacks_worker": lacks}
    if made is not None:
        try:
            known |= {"facts": read_report(made), "folder": store.path(made.result["folder"])}
        except store.StoreError as error:
            known |= {"damage": str(error)}
    return PaperReport(dataset, **known)
