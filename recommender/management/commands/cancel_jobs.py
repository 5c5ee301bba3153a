"""Cancels jobs: queued ones at once, running ones within a second or two."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.models import Job
from recommender.services.submitting import cancel_job


class Command(BaseCommand):
    help = "Cancel jobs by their ids."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("jobs", nargs="+", type=UUID, metavar="ID")

    def handle(self, *args: Any, **options: Any) -> None:
        late = [job_id for job_id in options["jobs"] if not cancel_job(job_id)]
        for job in Job.objects.filter(pk__in=set(options["jobs"]) - set(late)):
            done = job.status == Job.Status.CANCELLED
            self.stdout.write(f"{job.pk}: {'cancelled' if done else 'stopping'}")
        if late:
            listed = ", ".join(map(str, late))
            raise CommandError(f"Not cancelled, because unknown or already ended: {listed}.")
