"""A name is found wherever somebody says it, and not where chance spells it."""

import pytest

from tests.survey.form_data import named

TOKEN = "x" * 20 + "KnN" + "y" * 20


@pytest.mark.parametrize(
    ("name", "said", "found"),
    [
        ("knn", f'value="{TOKEN}"', False),
        ("knn", f'value="{TOKEN}" class="user-KNN"', True),
        ("autoencoder", "x" * 40 + "autoencoder", True),
        ("7700", "0f8fad5b-7700-469f-a165-70867728950e", False),
        ("0f8fad5b-7700-469f-a165-70867728950e", "0f8fad5b-7700-469f-a165-70867728950e", True),
    ],
)
def test_short_names_are_not_searched_in_random_tokens(name, said, found):
    assert named([name], said) == ([name] if found else [])
