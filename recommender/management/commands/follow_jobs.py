"""Follows submitted jobs, or runs them in this process."""

from functools import partial
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.management.following import Display, follow_jobs, run_in_process
from recommender.models import Job
from recommender.services.claims import new_owner
from recommender.services.reconciling import reconcile


class Command(BaseCommand):
    help = (
        "Follow jobs to their end. Exit status: 0 all done, 1 one failed or was cancelled, "
        "2 wrong usage, 3 no worker was seen for 10 s (the jobs stay queued)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("jobs", nargs="+", type=UUID, metavar="ID")
        parser.add_argument(
            "--inline", action="store_true", help="run the queued jobs in this process"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ids = list(dict.fromkeys(options["jobs"]))
        jobs = Job.objects.in_bulk(ids)
        if missing := [str(job_id) for job_id in ids if job_id not in jobs]:
            raise CommandError(f"There is no job {', '.join(missing)}.", returncode=2)
        labels = {job_id: job_label(jobs[job_id]) for job_id in ids}
        display = Display(self.stderr)
        do = None
        if options["inline"]:
            from recommender import jobs as runner

            def do(job_id: UUID) -> None:
                reconcile()  # ends jobs that may not be claimed any more
                start = partial(runner.run_job, job_id, owner=new_owner())
                run_in_process(labels[job_id], job_id, start, display)

        ended = follow_jobs(labels, display=display, do=do)
        failed = [job for job in ended if job.status != Job.Status.DONE]
        if failed:
            reasons = (f"{labels[job.pk]} {job.status}. {job.error}".strip() for job in failed)
            raise CommandError(" ".join(reasons))


def job_label(job: Job) -> str:
    if "system" in job.params:
        return str(job.params["system"])
    if job.kind == Job.Kind.REPORT:
        return "report"
    return f"{job.kind} model {job.params['trained_model']}"
