#!/usr/bin/env python3
"""The command line of Studysite: a failure is one plain line and a non-zero exit."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studysite.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"studysite: {error}")
    except DatabaseError as error:
        if "--traceback" in sys.argv:
            raise
        problem = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        sys.exit(
            f"studysite: the database refused: {problem}. If it is new or was updated, run "
            "'manage.py migrate'; else see that DATABASE_URL is right and the server runs."
        )
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
