"""Every range belongs to a field of its system, and can be trained with."""

from dataclasses import replace

import pytest

from recommender.core.algorithms.base import implementation
from recommender.core.configs.spaces import SPACES, Span
from recommender.core.systems import SYSTEMS


@pytest.mark.parametrize("system", SPACES)
def test_the_ends_of_every_range_are_possible_settings(system):
    preset = SYSTEMS[system].preset()[1]
    for field, values in SPACES[system].items():
        assert type(getattr(preset, field)) is type(
            values.low if isinstance(values, Span) else values[0]
        )
        ends = (values.low, values.high) if isinstance(values, Span) else values
        for value in ends:
            config = replace(preset, **{field: value})
            implementation(system, config)(config).check()
