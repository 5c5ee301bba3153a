"""Refused ratings are explained: not rated, counts, or another scale."""

from collections import Counter

import pytest

from recommender.core.ratings import Scale
from recommender.core.readers.causes import explain_ratings

FIVE, TEN = Scale(1, 5, 1), Scale(1, 10, 1)


@pytest.mark.parametrize(
    ("off_scale", "no_numbers", "known", "options"),
    [
        ({}, {}, FIVE, []),
        ({}, {"good": 1}, FIVE, []),
        ({}, {"NA": 7, "good": 1}, FIVE, ["--drop 'NA'"]),
        ({}, {"": 2}, FIVE, ["--drop ''"]),
        ({0.0: 3}, {}, TEN, ["--drop-zeros", "--scale 0:10:1"]),
        ({-1.0: 3}, {}, TEN, ["--drop=-1"]),
        ({-1.0: 1}, {}, TEN, []),
        ({7.5: 1, 8.25: 1, 6.3: 1}, {}, TEN, ["--scale=1:10:0.01"]),
        ({-9.82: 1, 0.0: 1, 8.25: 1, 9.9: 1}, {}, TEN, ["--scale=-10:10:0.01"]),
        ({20.0: 1, 57.0: 1, 100.0: 1}, {}, FIVE, ["--scale=1:100:1"]),
        ({7.0: 4, 207.0: 1, 3451.0: 1}, {}, FIVE, ["look like counts"]),
        ({0.0: 4, 207.0: 1, 3451.0: 1}, {}, FIVE, ["--drop-zeros", "look like counts"]),
    ],
)
def test_a_cause_comes_with_its_remedy(off_scale, no_numbers, known, options):
    found = " ".join(explain_ratings(Counter(off_scale), Counter(no_numbers), known))
    assert all(option in found for option in options)
    assert bool(found) == bool(options)
