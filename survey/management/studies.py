"""What the commands of a study share: following its jobs, describing its state."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from recommender.management.lookup import find_row
from recommender.models import Job
from survey.errors import StudyError
from survey.management.site import current_site_url
from survey.models import Study
from survey.services.preparing import publish_again


class StudyCommand(BaseCommand):
    """A command on one study, its first argument; a StudyError ends it with ``error_status``."""

    error_status = 1

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="name of the study")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(find_row(Study, "study", slug=options["slug"]), options)
        except StudyError as error:
            raise CommandError(str(error), returncode=self.error_status) from error

    def run(self, study: Study, options: dict[str, Any]) -> None:
        raise NotImplementedError


class PreparingCommand(StudyCommand):
    """A command that may prepare a draft, and prints the state of the study."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        add_job_arguments(parser)

    def prepare(self, study: Study, options: dict[str, Any]) -> None:
        """Compute the recommendations that a draft still lacks."""
        if study.status == Study.Status.DRAFT:
            follow_publishing(study, publish_again(study=study), options)

    def print_state(self, study: Study, options: dict[str, Any]) -> None:
        self.stdout.write(describe_study(study, as_json=options["json"]))


def add_job_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--inline", action="store_true", help="run the jobs here, without a worker")


def follow_publishing(study: Study, jobs: Iterable[Job], options: dict[str, Any]) -> None:
    """Wait for the jobs, or run them here. A failure keeps its exit status and adds a remedy."""
    ids = [str(job.pk) for job in jobs]
    if not ids:
        return
    how = (
        f"The study {study.slug!r} is kept as a draft. Resume: manage.py launch_study {study.slug}"
    )
    try:
        call_command("follow_jobs", *ids, inline=options["inline"], stderr=options.get("stderr"))
    except CommandError as error:
        raise CommandError(f"{error}\n{how}", returncode=error.returncode) from error


def describe_study(study: Study, *, as_json: bool) -> str:
    """The study's status and its two addresses."""
    site = current_site_url()
    facts: dict[str, Any] = {
        "study": study.slug,
        "status": study.status,
        "arms": [arm.label for arm in study.arms.all()],
        "questions": study.questions.count(),
        "profiles_tried": study.profiles_tried,
        "agreements": study.agreements,
        "design_hash": study.design_hash,
        "judge": site + reverse("study", args=[study.slug]),
        "results": site + reverse("results", args=[study.slug]),
    }
    if as_json:
        return json.dumps(facts, indent=2)
    if study.status == Study.Status.DRAFT:
        return (
            f"Study {study.slug}: prepared, not launched yet. Launch it:\n"
            f"  manage.py launch_study {study.slug}\nResults: {facts['results']}"
        )
    arms, count = " against ".join(facts["arms"]), facts["questions"]
    questions = "1 question" if count == 1 else f"{count} questions"
    lines = [
        f"Study {study.slug}: {arms}, {questions}, {study.status}.",
        describe_agreements(study, len(facts["arms"])),
    ]
    if study.questions.values("user").distinct().count() < study.n_profiles:
        lines.append(
            f"That is fewer than the {study.n_profiles} profiles wanted: the pool is exhausted."
        )
    return "\n".join([*lines, f"Judge:   {facts['judge']}", f"Results: {facts['results']}"])


def describe_agreements(study: Study, n_arms: int) -> str:
    times = "1 time" if study.agreements == 1 else f"{study.agreements} times"
    if n_arms > 2:
        return (
            f"Two arms recommended the same movie {times} on {study.profiles_tried} profiles; no "
            "question was made there."
        )
    was = "was" if study.agreements == 1 else "were"
    return (
        f"{study.agreements} of {study.profiles_tried} profiles {was} skipped: both arms "
        "recommended the same movie."
    )
