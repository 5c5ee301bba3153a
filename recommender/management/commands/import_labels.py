"""Add tags, the tag genome, keywords or people to a data set that was imported before."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recommender.core.errors import CoreError
from recommender.core.readers.side_information import (
    SIDE_FILES,
    open_side_files,
    read_side_files,
)
from recommender.management.lookup import USAGE, find_dataset
from recommender.management.side_options import add_side_options, side_paths
from recommender.services.labelling import add_labels, find_same_labels, places_of_items
from recommender.store import StoreError


class Command(BaseCommand):
    help = "Add side information to a data set; its ratings and its studies stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dataset", required=True, metavar="NAME")
        parser.add_argument(
            "--check", action="store_true", help="read and report everything, store nothing"
        )
        add_side_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        dataset, paths = find_dataset(options["dataset"]), side_paths(options)
        if not paths:
            known = ", ".join(f"--{role} FILE" for role in SIDE_FILES)
            raise CommandError(f"Give at least one of {known}.", returncode=USAGE)
        try:
            with open_side_files(paths) as files:
                sources = read_side_files(files, places_of_items(dataset))
            had = find_same_labels(dataset=dataset, sources=sources)
            stored = [] if options["check"] else add_labels(dataset=dataset, sources=sources)
        except (CoreError, StoreError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"The labels could not be stored: {error}. Check that the files are readable and "
                f"STUDYSITE_HOME ({settings.STUDYSITE_HOME}) is writable and has free space."
            ) from error
        for kind, source in sources.items():
            state = "was already imported" if kind in had else "can be imported"
            state = "imported" if kind in stored else state
            if not source.labels.items.size:
                state = "not imported, because nothing in it is about an item of the data set"
            self.stdout.write(f"{kind} {state}\n  {source.describe()}")
