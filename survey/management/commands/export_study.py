"""Write a study's judgments to a CSV file, whole or not at all."""

import csv
import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from survey import exports
from survey.management.studies import find_study
from survey.models import Study


class Command(BaseCommand):
    help = "Export a study's judgments, one row each, as CSV (UTF-8, times in UTC)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE.csv")
        parser.add_argument("--force", action="store_true", help="replace an existing file")

    def handle(self, *args: Any, **options: Any) -> None:
        study, out = find_study(options["slug"]), options["out"]
        if out.exists() and not (options["force"] and out.is_file()):
            remedy = "Name a file." if out.is_dir() else "Give --force to replace it."
            raise CommandError(f"{out} exists already. {remedy}")
        try:
            count = write_whole(study, out)
        except OSError as error:
            raise CommandError(
                f"{out} cannot be written: {error.strerror}. Name a file in a folder that is "
                "there and can be written to."
            ) from error
        self.stdout.write(f"{count} judgments of {study.slug} in {out}")


def write_whole(study: Study, out: Path) -> int:
    """The number of judgments written; a reader of ``out`` never sees a part of them."""
    descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            lines = 0
            for row in exports.judgment_rows(study):
                writer.writerow(row)
                lines += 1
            file.flush()
            os.fsync(file.fileno())
        # mkstemp keeps others out; an export is as readable as any new file.
        mask = os.umask(0)
        os.umask(mask)
        partial.chmod(0o666 & ~mask)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return lines - 1
