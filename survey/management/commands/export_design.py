"""Write all that was decided about a frozen study to a JSON file, with its hash."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from survey import exports
from survey.errors import StudyError
from survey.management.files import beside, write_whole
from survey.management.studies import find_study


class Command(BaseCommand):
    help = (
        "Export a study's design as JSON: texts, numbers, seed, arms with their checksums and "
        "every question. Its SHA-256 was recorded when the study was frozen."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument(
            "--out", required=True, type=Path, metavar="FILE.json", help="- prints it"
        )
        parser.add_argument("--force", action="store_true", help="replace an existing file")

    def handle(self, *args: Any, **options: Any) -> None:
        study, out = find_study(options["slug"]), options["out"]
        try:
            document = exports.design_document(study)
        except StudyError as error:
            raise CommandError(str(error)) from error

        def write(file: TextIO) -> None:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.write("\n")

        write_whole(out, write, stdout=self.stdout, force=options["force"])
        beside(out, self).write(
            f"Design of {study.slug} in {out}\nSHA-256 {document['design_hash']}"
        )
