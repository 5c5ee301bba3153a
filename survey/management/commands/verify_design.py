"""Compares a study's design, or an exported one, with the hash recorded at freezing."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from recommender.management.lookup import USAGE
from survey.management.studies import StudyCommand
from survey.models import Study
from survey.selectors.design import design_hash, digest


class Command(StudyCommand):
    help = (
        "Verify that a study has not changed since it was frozen and, with FILE, that the file "
        "holds the frozen design. Exit status: 0 unchanged, 1 changed, 2 wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "file", nargs="?", type=Path, metavar="FILE", help="written by export_design"
        )

    def run(self, study: Study, options: dict[str, Any]) -> None:
        if not study.design_hash:
            reason = "was frozen before designs were hashed."
            if study.status == Study.Status.DRAFT:
                reason = "is a draft: nothing is frozen yet."
            raise CommandError(f"The study {study.slug!r} {reason}", returncode=USAGE)
        found = {f"study {study.slug}": design_hash(study)}
        if options["file"]:
            found[str(options["file"])] = digest(_read_design(options["file"]))
        for name, computed in found.items():
            if computed != study.design_hash:
                raise CommandError(
                    f"The design of {name} has changed since the study was frozen.\n"
                    f"  frozen  {study.design_hash}\n  now     {computed}\n"
                    "Restore a backup, or compare it with an exported design to see what changed."
                )
            self.stdout.write(f"{name}: unchanged, SHA-256 {computed}")


def _read_design(file: Path) -> dict[str, Any]:
    try:
        design: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["design"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CommandError(
            f"{file} holds no exported design. Name a file written by export_design.",
            returncode=USAGE,
        ) from error
    return design
