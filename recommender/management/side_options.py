"""The options of commands that read side files."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recommender.core.readers.side_information import SIDE_FILES

HELP = {
    "tags": "what people say of the items: movieId, tag and, if known, timestamp",
    "genome-scores": "the tag genome: movieId, tagId, relevance",
    "genome-tags": "the tags of the genome: tagId, tag (default: the file next to the scores)",
    "keywords": "what the items are about: movieId, keywords separated by a bar",
    "people": "who made the items: movieId, directors, actors, ... separated by a bar",
}


def add_side_options(parser: ArgumentParser) -> None:
    for role, name in SIDE_FILES.items():
        parser.add_argument(
            f"--{role}", type=Path, metavar="FILE", help=f"{HELP[role]}; or a folder with {name}"
        )


def side_paths(options: Mapping[str, Any]) -> dict[str, Path]:
    """The side files that were given, by keys of SIDE_FILES."""
    given = {role: options.get(role.replace("-", "_")) for role in SIDE_FILES}
    return {role: path for role, path in given.items() if path is not None}
