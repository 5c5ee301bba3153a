"""Side files are given by one option for each of them."""

from argparse import ArgumentParser
from pathlib import Path

from recommender.management.side_options import add_side_options, side_paths


def test_only_the_side_files_that_were_given_are_named():
    parser = ArgumentParser()
    add_side_options(parser)
    given = parser.parse_args(["--genome-scores", "scores.csv", "--people", "people.csv"])
    assert side_paths(vars(given)) == {
        "genome-scores": Path("scores.csv"),
        "people": Path("people.csv"),
    }
