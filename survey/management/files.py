"""Files that commands write whole or not at all; ``-`` stands for standard output."""

from __future__ import annotations

import csv
import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

STANDARD_OUTPUT = Path("-")


def add_output_arguments(parser: ArgumentParser, metavar: str = "FILE.csv") -> None:
    parser.add_argument(
        "--out", required=True, type=Path, metavar=metavar, help="- for standard output"
    )
    parser.add_argument("--force", action="store_true", help="replace an existing file")


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
        with _replacement(out, secret=secret) as file:
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


def report_stream(command: BaseCommand, out: Path) -> OutputWrapper:
    """The stream for the command's report: standard output, unless that holds the file itself."""
    return command.stderr if out == STANDARD_OUTPUT else command.stdout


@contextmanager
def _replacement(out: Path, *, secret: bool) -> Iterator[TextIO]:
    descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not secret:
            # mkstemp makes files private; other exports get the mode of any new file.
            mask = os.umask(0)
            os.umask(mask)
            partial.chmod(0o666 & ~mask)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
