"""Import ratings from a folder, a zip or a file, or the built-in demo data."""

import re
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from recommender.core.duplicates import duplicate_key, group_duplicates
from recommender.core.errors import CoreError
from recommender.core.ratings import Scale
from recommender.core.readers.archive import ignore_bytes_read
from recommender.core.readers.demo import demo_source
from recommender.core.readers.items import ItemRecord
from recommender.core.readers.limits import find_limits
from recommender.core.readers.names import parse_columns
from recommender.core.readers.source import RatingsSource, read_source
from recommender.core.readers.to_ratings import KEEP
from recommender.core.runs import Progress
from recommender.management.following import Display
from recommender.management.side_options import add_side_options, side_paths
from recommender.naming import KINDS, Words, parse_link, parse_words
from recommender.services.importing import find_same, register_dataset
from recommender.services.labelling import find_same_labels
from recommender.store import StoreError

SHOW_SECONDS = 0.1
DUPLICATES_SHOWN = 5


class Command(BaseCommand):
    help = "Import ratings: MovieLens files, or any table with a user, an item and a rating a line."
    #: Checks of URLs would load every page, which takes longer than most imports.
    requires_system_checks = [Tags.models]

    def add_arguments(self, parser: ArgumentParser) -> None:
        # A value such as -10:10:0.01 is not an option either, though it begins with a dash.
        parser._negative_number_matcher = re.compile(r"-[\d.]")
        parser.add_argument("source", nargs="?", type=Path, help="a folder, a zip or a file")
        parser.add_argument(
            "--name", default="", help="name of the data set (default: that of SOURCE)"
        )
        parser.add_argument(
            "--scale", metavar="MIN:MAX:STEP", help="the allowed ratings, such as 0.5:5:0.5"
        )
        parser.add_argument(
            "--columns",
            metavar="user=A,item=B,...",
            help="names or numbers of the columns user, item, rating and timestamp, where they are "
            "called otherwise or the file has no header",
        )
        parser.add_argument(
            "--keep",
            choices=KEEP,
            default="",
            help="which rating counts where a user rated an item again: by time, else by line",
        )
        parser.add_argument(
            "--drop",
            action="append",
            default=[],
            metavar="VALUE",
            help="leave out ratings of this value because it means not rated, such as -1 or NA",
        )
        parser.add_argument(
            "--drop-zeros",
            dest="drop",
            action="append_const",
            const="0",
            help="the same as --drop 0",
        )
        parser.add_argument(
            "--check", action="store_true", help="read and report everything, store nothing"
        )
        parser.add_argument(
            "--items", choices=list(KINDS), help="what the items are (default: movie)"
        )
        parser.add_argument(
            "--item-words",
            action="append",
            metavar="ONE,SEVERAL",
            help="own words for the items, such as podcast,podcasts or de=Podcast,Podcasts",
        )
        parser.add_argument(
            "--link",
            action="append",
            metavar="NAME=ADDRESS",
            help="where to look items up: https addresses with {title}, {year}, {id}, {imdb}, "
            "{tmdb} or {isbn}; of several with one name, the first whose values are known counts",
        )
        parser.add_argument("--demo", action="store_true", help="import the built-in demo data")
        add_side_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["source"]
        if (path is None) != options["demo"]:
            raise CommandError("Name one SOURCE, or give --demo.", returncode=2)
        try:
            naming = read_naming(options)
            if path is None:
                source, name = demo_source(), options["name"] or "demo"
            else:
                source = self._read(path, options)
                name = options["name"] or default_name(path)
            known = find_same(name=name, source=source)
            had = find_same_labels(dataset=known, sources=source.side) if known else []
            if not options["check"]:
                register_dataset(name=name, source=source, naming=naming)
        except (CoreError, StoreError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"The ratings could not be stored: {error}. Check that "
                f"STUDYSITE_HOME ({settings.STUDYSITE_HOME}) is writable and has free space."
            ) from error
        new = [
            kind
            for kind, labels in source.side.items()
            if kind not in had and labels.labels.items.size
        ]
        stored = [*new, *(["the words and links for its items"] if naming else [])]
        changed = f"only {' and '.join(stored)} were stored" if stored else "nothing changed"
        state = f"was already imported; {changed}" if known else "imported"
        if options["check"]:
            state = "was already imported" if known else "can be imported; nothing was stored"
        self.stdout.write(import_report(name, source, state))

    def _read(self, path: Path, options: Mapping[str, Any]) -> RatingsSource:
        # Progress is shown on a terminal only; it would fill a log file.
        watched = sys.stderr.isatty()
        reading = ReadingProgress(Display(self.stderr), path.name) if watched else ignore_bytes_read
        try:
            return read_source(
                path,
                scale=Scale.parse(options["scale"]) if options["scale"] else None,
                columns=parse_columns(options["columns"]) if options["columns"] else None,
                keep=options["keep"],
                drop=options["drop"],
                side=side_paths(options),
                progress=reading,
            )
        except OSError as error:
            raise CommandError(
                f"{path} cannot be read: {error}. Check that it exists and is readable."
            ) from error


class ReadingProgress:
    """Progress bar for one file: share read, megabytes per second, time left."""

    def __init__(self, display: Display, name: str) -> None:
        self._display, self._name = display, name
        self._begun = self._shown = time.monotonic()
        self._done = 0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if done < self._done:  # the file is read again, with ids as text
            self._begun = now
        ended = done >= total > self._done
        self._done = done
        passed = max(now - self._begun, 1e-3)
        rate = f"{done / passed / 1e6:,.0f} MB/s"
        if ended:
            self._display.print_line(
                f"{self._name}: read {total / 1e6:,.0f} MB, {rate}; storing ..."
            )
        elif done < total and now - self._shown >= SHOW_SECONDS:
            self._shown = now
            left = (total - done) * passed / max(done, 1)
            phase = f"reading, {rate}"
            step = Progress(phase, done, total, seconds_left=left)
            self._display.show(self._name, step, with_rate=False)


def read_naming(options: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a data set that the options name. ConfigurationError."""
    words: dict[str, Words] = {}
    for text in options["item_words"] or []:
        words |= parse_words(text)
    links = [parse_link(text) for text in options["link"] or []]
    found = {"item_kind": options["items"], "item_words": words, "links": links}
    # A kind replaces own words that were stored before.
    wanted = {"item_words"} if options["items"] else set()
    return {name: value for name, value in found.items() if value or name in wanted}


def default_name(path: Path) -> str:
    """The name of the folder, or of the file without its extension."""
    place = path.resolve()
    return place.name if place.is_dir() else place.stem


def describe_duplicates(groups: list[list[ItemRecord]]) -> str:
    """How many titles have several ids, with the first of them."""
    titles = [
        f"{group[0].title} ({_first([item.external_id for item in group], ', ')})"
        for group in groups
    ]
    have = "title has" if len(titles) == 1 else "titles have"
    return (
        f"{len(titles):,} {have} several ids for the same year: {_first(titles, '; ')}. A study "
        "treats them as one item, and recommends no duplicate of a rated item."
    )


def _first(words: list[str], separator: str) -> str:
    more = ["…"] if len(words) > DUPLICATES_SHOWN else []
    return separator.join([*words[:DUPLICATES_SHOWN], *more])


def import_report(name: str, source: RatingsSource, state: str) -> str:
    ratings, times = source.ratings, source.ratings.timestamps
    facts = {
        "ratings": f"{ratings.n_ratings:,}",
        "users": f"{ratings.n_users:,}",
        "items": f"{len(source.items):,} ({ratings.n_items:,} rated)",
        "scale": str(ratings.scale),
        "time": "no timestamps",
        "folds": ", ".join(sorted(ratings.folds)) or "none",
        "format": source.format,
        **source.reading,
        **{kind: labels.describe() for kind, labels in source.side.items()},
        "checksum": source.checksum,
        "licence": source.licence_note.replace("\n", "\n" + 13 * " ") or "not given by the source",
    }
    if times is not None:
        first, last = (datetime.fromtimestamp(int(at), UTC) for at in (times.min(), times.max()))
        facts["time"] = f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
    if duplicates := group_duplicates(
        (item, duplicate_key(item.title, item.year)) for item in source.items
    ):
        facts["duplicates"] = describe_duplicates(duplicates)
    lines = [f"  {label:<10} {text}" for label, text in facts.items()]
    return "\n".join(
        [f"{name} {state}", *lines, *(f"  note       {limit}" for limit in find_limits(source))]
    )
