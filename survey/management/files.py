"""Files that commands write: whole or not at all; ``-`` is standard output."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TextIO, TypeVar

from django.core.management.base import BaseCommand, CommandError, OutputWrapper

Told = TypeVar("Told")


STANDARD_OUTPUT = Path("-")


def write_whole(
    out: Path,
    write: Callable[[TextIO], Told],
    *,
    stdout: OutputWrapper,
    force: bool,
    secret: bool = False,
) -> Told:
    """What ``write`` gives; a reader of ``out`` never sees a part. CommandError with a remedy.

    A ``secret`` file is its owner's alone.
    """
    if out == STANDARD_OUTPUT:
        whole = StringIO(newline="")
        told = write(whole)
        stdout.write(whole.getvalue(), ending="")
        return told
    if out.exists() and not (force and out.is_file()):
        remedy = "Name a file." if out.is_dir() else "Give --force to replace it."
        raise CommandError(f"{out} exists already. {remedy}")
    try:
        return _write(out, write, secret=secret)
    except OSError as error:
        raise CommandError(
            f"{out} cannot be written: {error.strerror}. Name a file in a folder that is "
            "there and can be written to."
        ) from error


def beside(out: Path, command: BaseCommand) -> OutputWrapper:
    """Where a command says what it wrote: standard output, unless that holds the file itself."""
    return command.stderr if out == STANDARD_OUTPUT else command.stdout


def _write(out: Path, write: Callable[[TextIO], Told], *, secret: bool) -> Told:
    descriptor, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            told = write(file)
            file.flush()
            os.fsync(file.fileno())
        if not secret:
            # mkstemp keeps others out; an export is as readable as any new file.
            mask = os.umask(0)
            os.umask(mask)
            partial.chmod(0o666 & ~mask)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return told
