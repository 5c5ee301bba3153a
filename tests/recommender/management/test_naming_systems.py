"""The systems that a command names."""

from argparse import ArgumentTypeError

import pytest

from recommender.core.systems import SYSTEMS
from recommender.management.naming_systems import parse_systems, present_systems


def test_systems_are_named_once_and_in_order():
    assert parse_systems("user-knn, bias,user-knn") == ["user-knn", "bias"]


def test_all_are_the_systems_of_the_registry():
    assert parse_systems("all") == list(SYSTEMS)


@pytest.mark.parametrize("text", ["", "oracle", "all,oracle"])
def test_an_unknown_name_is_refused_with_the_known_ones(text):
    with pytest.raises(ArgumentTypeError, match="choose from: all, bias"):
        parse_systems(text)


def test_a_preset_that_became_a_system_is_named_once_by_its_present_name():
    assert present_systems(["autoencoder", "dual-autoencoder"], "tuned") == ["dual-autoencoder"]
    assert present_systems(["autoencoder", "bias"], "compact") == ["autoencoder", "bias"]
