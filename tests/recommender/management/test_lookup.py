"""Rows that commands name."""

import pytest
from django.core.management.base import CommandError

from recommender.management.lookup import USAGE, find_dataset
from tests.factories import DatasetFactory

pytestmark = pytest.mark.django_db


def test_a_data_set_is_found_by_its_name():
    dataset = DatasetFactory(name="films")
    assert find_dataset("films") == dataset


def test_an_unknown_name_is_wrong_usage_and_the_known_ones_are_listed():
    DatasetFactory(name="films")
    with pytest.raises(CommandError, match=r"'songs'.*films.*import_ratings") as refused:
        find_dataset("songs")
    assert refused.value.returncode == USAGE
