#!/usr/bin/env python3
"""The command line of Studysite: a failure is one plain line and a non-zero exit."""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studysite.settings")
    if sys.stdout is None:  # closed by the shell: there is nobody to write to
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()  # here, where a reader that has gone is expected
        gc.freeze()  # as it ends, Python would look for garbage: 0.3 s with all libraries loaded
    except ImproperlyConfigured as error:
        sys.exit(f"studysite: {error}")
    except DatabaseError as error:
        if "--traceback" in sys.argv:
            raise
        problem = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        sys.exit(
            f"studysite: the database refused: {problem}. If it is new or was updated, run "
            "'manage.py migrate'; else see that DATABASE_URL is right, that the server runs and "
            "that the disk has room."
        )
    except BrokenPipeError:
        # Python flushes once more as it ends, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # as of any program that such a pipe ends
    except OSError as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(
            f"studysite: {error}. See that the disk has room and that the file or folder may be "
            "used; --traceback shows where it happened."
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
