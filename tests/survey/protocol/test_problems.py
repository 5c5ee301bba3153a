"""pydantic's errors become sentences with the field, its value and what to write instead."""

from typing import Any, Literal

import pytest
from pydantic import Field

from recommender.options import StrictModel, limits
from survey.errors import StudyError
from survey.protocol.problems import validated


class Inner(StrictModel):
    code: str = Field(pattern="^[A-Z]+$", description="capital letters")


class Outer(StrictModel):
    number: int | None = Field(None, ge=1, le=9)
    kind: Literal["a", "b"] = "a"
    flag: bool = False
    inner: Inner | None = None
    words: dict[Literal["de"], str] = {}
    codes: list[Any] = Field([], description="a list of codes")


def problem(**values):
    with pytest.raises(StudyError) as refused:
        validated(Outer, values)
    return str(refused.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"number": 10}, "number = 10 is not possible. Choose 1 to 9."),
        ({"number": "3"}, "number = '3' is not possible. Give a whole number."),
        ({"number": True}, "number = True is not possible. Give a whole number."),
        ({"number": 2.0}, "number = 2.0 is not possible. Give a whole number."),
        ({"kind": "c"}, "kind = 'c' is not possible. Choose 'a' or 'b'."),
        ({"flag": 1}, "flag = 1 is not possible. Give true or false."),
        ({"codes": "x"}, "codes = 'x' is not possible. Give a list of codes."),
        ({"words": {"fr": "x"}}, "words has no 'fr'. Choose 'de'."),
        ({"numbre": 1}, "There is no field 'numbre'. Did you mean 'number'?"),
    ],
)
def test_a_problem_names_the_field_the_value_and_the_remedy(values, sentence):
    assert problem(**values) == sentence


def test_an_unknown_field_without_a_similar_name_lists_the_known_ones():
    assert problem(xyz=1).endswith("Choose from: number, kind, flag, inner, words, codes.")


def test_long_values_are_shortened():
    assert len(problem(kind="x" * 1000)) < 120


def test_limits_are_read_from_the_field():
    assert limits(Outer.model_fields["number"]) == (1, 9)
    assert limits(Outer.model_fields["kind"]) == (None, None)
