"""The fields of a model are the flags of a command."""

from argparse import ArgumentParser

import pytest
from pydantic import Field

from recommender.options import StrictModel, add_flags, validated_or


class Sizes(StrictModel):
    wide_rows: int = Field(3, ge=1, le=9)
    """rows, 50 % of them `wide`"""
    share: float | None = Field(None, gt=0, le=1)
    """share of rows"""
    hidden: int = 0


def parsed(*words, **options):
    parser = ArgumentParser()
    add_flags(parser, Sizes, without={"hidden"}, **options)
    return vars(parser.parse_args(words))


def test_a_flag_that_is_not_given_is_none_or_the_default():
    assert parsed() == {"wide_rows": None, "share": None}
    assert parsed(defaults=True) == {"wide_rows": 3, "share": None}


def test_numbers_are_read_and_other_words_are_left_to_the_model():
    assert parsed("--wide-rows", "4", "--share", "0.5") == {"wide_rows": 4, "share": 0.5}
    assert parsed("--wide-rows", "few")["wide_rows"] == "few"


def test_the_help_is_the_description_with_the_default(capsys):
    with pytest.raises(SystemExit):
        parsed("--help", defaults=True)
    assert "rows, 50 % of them wide (default: 3)" in capsys.readouterr().out


def test_an_exclusive_limit_is_worded_as_more_than():
    with pytest.raises(ValueError, match=r"share = 0 is not possible. Choose more than 0 to 1."):
        validated_or(ValueError, Sizes, {"share": 0})
