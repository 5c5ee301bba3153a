"""What the commands of a study share: finding it, following its jobs, saying how it stands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, OutputWrapper
from django.urls import reverse

from recommender.models import Dataset, Job
from survey.errors import StudyError
from survey.management.site import site_url
from survey.models import Study
from survey.services.launching import change_state, launch_study
from survey.services.preparing import publish_again

#: Exit statuses, as of the commands that train: 1 it failed, 2 wrong usage, 3 no worker.
USAGE = 2


def find_study(slug: str) -> Study:
    found = Study.objects.filter(slug=slug).first()
    if found is None:
        known = _known(Study.objects.all(), "slug")
        raise CommandError(f"There is no study {slug!r}.{known}", returncode=USAGE)
    return found


def find_dataset(name: str) -> Dataset:
    found = Dataset.objects.filter(name=name).first()
    if found is None:
        known = _known(Dataset.objects.all(), "name")
        raise CommandError(
            f"There is no data set {name!r}.{known} Import one: manage.py import_ratings SOURCE",
            returncode=USAGE,
        )
    return found


def follow(study: Study, jobs: Iterable[Job], *, inline: bool, output: OutputWrapper) -> None:
    """Wait for the jobs, or do them here; where that fails, say how to go on, same exit status."""
    ids = [str(job.pk) for job in jobs]
    if not ids:
        return
    how = f"The study {study.slug!r} is kept as a draft: manage.py launch_study {study.slug}"
    try:
        # Standard output is the study's alone.
        call_command("follow_jobs", *ids, inline=inline, stdout=output, stderr=output)
    except CommandError as error:
        message = "\n".join(part for part in (str(error), f"{how} goes on from here.") if part)
        raise CommandError(message, returncode=error.returncode) from error
    except SystemExit as stop:
        if stop.code:
            code = stop.code if isinstance(stop.code, int) else 1
            raise CommandError(f"{how} goes on from here.", returncode=code) from stop


def launch(study: Study) -> Study:
    try:
        return launch_study(study=study)
    except StudyError as error:
        raise CommandError(str(error)) from error


def go_to(study: Study, status: str) -> Study:
    try:
        return change_state(study=study, to=status)
    except StudyError as error:
        raise CommandError(str(error)) from error


def finish_preparing(study: Study, *, inline: bool, output: OutputWrapper) -> None:
    """Do what a draft still lacks of its recommendations."""
    if study.status == Study.Status.DRAFT:
        follow(study, publish_again(study=study), inline=inline, output=output)


def describe(study: Study, *, as_json: bool) -> str:
    """Where the study stands and its two addresses."""
    site = site_url()
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
        agreed(study, len(facts["arms"])),
    ]
    if study.questions.values("user").distinct().count() < study.n_profiles:
        lines.append(
            f"That is fewer than the {study.n_profiles} wanted: the drawn profiles held no more."
        )
    return "\n".join([*lines, f"Judge:   {facts['judge']}", f"Results: {facts['results']}"])


def agreed(study: Study, n_arms: int) -> str:
    if n_arms > 2:
        times = "time" if study.agreements == 1 else "times"
        return (
            f"On the {study.profiles_tried} profiles tried, two arms named the same movie "
            f"{study.agreements} {times}; nothing was asked there."
        )
    was = "was" if study.agreements == 1 else "were"
    return (
        f"{study.agreements} of {study.profiles_tried} profiles {was} passed over: both arms agree."
    )


def _known(rows: Any, field: str) -> str:
    names = list(rows.values_list(field, flat=True)[:10])
    return f" There is: {', '.join(names)}." if names else ""
