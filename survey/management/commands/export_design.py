"""Writes the design of a frozen study to a JSON file, with its hash."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from survey import exports
from survey.management.files import add_output_arguments, output_file, report_stream
from survey.management.studies import command_errors, find_study


class Command(BaseCommand):
    help = (
        "Export a study's design as JSON: texts, numbers, seed, arms with their checksums and "
        "every question. Its SHA-256 was recorded when the study was frozen."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        add_output_arguments(parser, "FILE.json")

    def handle(self, *args: Any, **options: Any) -> None:
        study, out = find_study(options["slug"]), options["out"]
        with command_errors():
            document = exports.design_document(study)
        with output_file(self, options) as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.write("\n")
        report_stream(self, out).write(
            f"Design of {study.slug} in {out}\nSHA-256 {document['design_hash']}"
        )
