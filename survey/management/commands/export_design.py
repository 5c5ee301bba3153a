"""Writes the design of a frozen study to a JSON file, with its hash."""

import json
from typing import Any

from survey.exports import design_document
from survey.management.files import ExportCommand, output_file
from survey.models import Study


class Command(ExportCommand):
    help = (
        "Export a study's design as JSON: texts, numbers, seed, arms with their checksums and "
        "every question. Its SHA-256 was recorded when the study was frozen."
    )
    suffix = "json"

    def run(self, study: Study, options: dict[str, Any]) -> None:
        document = design_document(study)
        with output_file(self, options) as file:
            json.dump(document, file, indent=1, ensure_ascii=False)
            file.write("\n")
        self.report(
            f"Design of {study.slug} in {options['out']}\nSHA-256 {document['design_hash']}",
            options,
        )
