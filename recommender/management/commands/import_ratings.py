"""Import ratings from a folder, a zip or a file, or the built-in demo data."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from recommender import services
from recommender.core.errors import CoreError
from recommender.core.ratings import Scale
from recommender.core.readers import Source, read_source
from recommender.core.readers.demo import demo_source
from recommender.models import Dataset
from recommender.store import StoreError


class Command(BaseCommand):
    help = "Import ratings: MovieLens files, or a CSV with the header user,item,rating[,timestamp]."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", nargs="?", type=Path, help="a folder, a zip or a file")
        parser.add_argument("--name", default="", help="of the data set (default: the source's)")
        parser.add_argument("--scale", metavar="MIN:MAX:STEP", help="such as 0.5:5:0.5")
        parser.add_argument("--demo", action="store_true", help="import the built-in demo data")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["source"]
        if (path is None) != options["demo"]:
            raise CommandError("Name one SOURCE, or give --demo.", returncode=2)
        try:
            scale = Scale.parse(options["scale"]) if options["scale"] else None
            if path is None:
                source, name = demo_source(), options["name"] or "demo"
            else:
                source = self._read(path, scale)
                name = options["name"] or default_name(path)
            known = Dataset.objects.filter(name=name).exists()
            dataset = services.register_dataset(name=name, source=source)
        except (CoreError, StoreError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"The ratings could not be stored: {error}. See that there is room below "
                f"STUDYSITE_HOME ({settings.STUDYSITE_HOME}) and that it may be written to."
            ) from error
        self.stdout.write(describe(dataset, source, known=known))

    def _read(self, path: Path, scale: Scale | None) -> Source:
        try:
            return read_source(path, scale=scale, progress=self._progress)
        except OSError as error:
            raise CommandError(
                f"{path} cannot be read: {error}. See that it is there and may be read."
            ) from error

    def _progress(self, done: int, total: int) -> None:
        # Only where somebody watches: in a log a line for every block says nothing.
        if sys.stderr.isatty():
            end = "\n" if done >= total else "\r"
            self.stderr.write(f"reading {done / max(total, 1):4.0%}", ending=end)


def default_name(path: Path) -> str:
    """The name of a folder, or that of a file without its ending."""
    place = path.resolve()
    return place.name if place.is_dir() else place.stem


def describe(dataset: Dataset, source: Source, *, known: bool) -> str:
    ratings = source.ratings
    facts = {
        "ratings": f"{dataset.n_ratings:,}",
        "users": f"{dataset.n_users:,}",
        "movies": f"{dataset.n_movies:,} ({ratings.n_items:,} rated)",
        "scale": str(ratings.scale),
        "time": "no time stamps",
        "folds": ", ".join(dataset.folds) or "none",
        "format": dataset.format,
        "checksum": dataset.checksum,
        "licence": dataset.licence_note.replace("\n", "\n" + 12 * " ") or "the source names none",
    }
    if dataset.first_rated_at and dataset.last_rated_at:
        facts["time"] = (
            f"{dataset.first_rated_at:%Y-%m-%d %H:%M:%S} to "
            f"{dataset.last_rated_at:%Y-%m-%d %H:%M:%S} UTC"
        )
    state = "was imported before; nothing changed" if known else "imported"
    return "\n".join([f"{dataset.name} {state}", *(f"  {k:<9} {v}" for k, v in facts.items())])
