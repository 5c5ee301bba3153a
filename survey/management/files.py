"""Files that commands write whole or not at all; ``-`` stands for standard output."""

from __future__ import annotations

import csv
import os
import uuid
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError

from survey.exports import BOM, RAW_HELP, guard_formulas
from survey.management.studies import StudyCommand
from survey.workbooks import write_workbook

STANDARD_OUTPUT = Path("-")


class ExportCommand(StudyCommand):
    """A command that writes one file about a study."""

    suffix = "csv"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--out",
            required=True,
            type=Path,
            metavar=f"FILE.{self.suffix}",
            help="- for standard output, as text",
        )
        parser.add_argument("--force", action="store_true", help="replace an existing file")

    def report(self, text: str, options: dict[str, Any]) -> None:
        """Print to standard output, or to standard error if that holds the file itself."""
        (self.stderr if options["out"] == STANDARD_OUTPUT else self.stdout).write(text)


class TableCommand(ExportCommand):
    """An export of rows as CSV, guarded against formulas unless --raw is given, or as .xlsx."""

    suffix = "csv|xlsx"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--raw", action="store_true", help=RAW_HELP)
        parser.add_argument(
            "--bom", action="store_true", help="begin a CSV file with a byte order mark, for Excel"
        )

    def write_table(
        self, rows: Iterable[list[str]], options: dict[str, Any], *, secret: bool = False
    ) -> int:
        """Write the rows, the header first; returns the number of rows without the header."""
        with output_file(self, options, secret=secret) as file:
            if options["out"].suffix.lower() == ".xlsx":
                return write_workbook(file.buffer, rows)
            file.write(BOM if options["bom"] else "")
            return write_csv(file, rows if options["raw"] else guard_formulas(rows))


@contextmanager
def output_file(
    command: BaseCommand, options: dict[str, Any], *, secret: bool = False
) -> Iterator[TextIO]:
    """A text file that becomes ``--out`` when the block ends, and vanishes if the block fails.

    Only the owner can read a ``secret`` file. Raises CommandError with a remedy.
    """
    out = options["out"]
    if out == STANDARD_OUTPUT:
        whole = StringIO(newline="")
        yield whole
        command.stdout.write(whole.getvalue(), ending="")
        return
    if out.exists() and not (options["force"] and out.is_file()):
        remedy = "Name a file." if out.is_dir() else "Give --force to replace it."
        raise CommandError(f"{out} exists already. {remedy}")
    try:
        with replace_file(out, secret=secret) as file:
            yield file
    except OSError as error:
        raise CommandError(
            f"{out} cannot be written: {error.strerror}. Name a file in an existing folder that "
            "you can write to."
        ) from error


def write_csv(file: TextIO, rows: Iterable[list[str]]) -> int:
    """Write the rows, the header first; the number of rows without the header."""
    writer = csv.writer(file)
    count = -1
    for row in rows:
        writer.writerow(row)
        count += 1
    return count


@contextmanager
def replace_file(out: Path, *, secret: bool) -> Iterator[TextIO]:
    """A text file that replaces ``out`` in one step when the block ends without an error."""
    partial = out.with_name(f".{out.name}.{uuid.uuid4().hex}")
    mode = 0o600 if secret else 0o666  # less the bits of the umask, as for any new file
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
