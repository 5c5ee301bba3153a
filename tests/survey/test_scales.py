"""Any rating scale in at most ten bins."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from survey.scales import RatingScale


def named(scale):
    return [" ".join(f"{float(end):g}" for end in (one.low, one.high)) for one in scale.bins]


@st.composite
def scales(draw):
    step = draw(st.sampled_from([0.01, 0.05, 0.1, 0.25, 0.3, 0.5, 0.7, 1, 2, 3, 5]))
    minimum = draw(st.sampled_from([-10, -1, 0, 0.5, 1])) * draw(st.sampled_from([1, step]))
    steps = draw(st.integers(0, 300) | st.sampled_from([999, 1000, 2000]))
    return RatingScale(minimum, round(minimum + steps * step, 6), step)


@given(scales())
@example(RatingScale(0.5, 5, 0.5))
@example(RatingScale(1, 10, 0.01))
@example(RatingScale(0, 100, 1))
@example(RatingScale(-10, 10, 0.01))
def test_each_rating_is_in_exactly_one_of_at_most_ten_bins_in_order(scale):
    bins = scale.bins
    # Ratings are stored as 32-bit floats.
    ratings = np.float32(scale.minimum + scale.step * np.arange(scale.n_levels)).tolist()
    places = [bins.index(scale.bin_of(rating)) for rating in ratings]
    assert 1 <= len(bins) <= 10
    assert places == sorted(places)
    assert set(places) == set(range(len(bins)))
    for rating, place in zip(ratings, places, strict=True):
        holding = [one for one in bins if one.low <= scale.level(rating) <= one.high]
        assert bins[place] == holding[-1]
        assert len(holding) <= 2  # the next bin begins at the upper bound
    assert bins[0].low == scale.lowest
    assert bins[-1].high == scale.highest


@given(scales())
def test_bins_are_equal_but_at_the_ends(scale):
    inside = {one.high - one.low for one in scale.bins[1:-1]}
    assert len(inside) <= 1


@pytest.mark.parametrize("ends", [(0.5, 5, 0.5), (1, 5, 1), (1, 10, 1), (-2, 2, 1), (3, 3, 1)])
def test_a_scale_of_at_most_ten_levels_has_a_bin_for_each(ends):
    scale = RatingScale(*ends)
    assert len(scale.bins) == scale.n_levels
    assert not any(one.is_range for one in scale.bins)


@pytest.mark.parametrize(
    ("ends", "first", "last"),
    [
        ((1, 10, 0.01), "1 2", "9 10"),
        ((0.5, 10, 0.1), "0.5 1", "9 10"),
        ((0, 100, 1), "0 9", "90 100"),
        ((1, 100, 1), "1 10", "91 100"),
        ((0.5, 10, 0.5), "0.5 1", "9.5 10"),
        ((-10, 10, 0.01), "-10 -8", "8 10"),
        ((0, 10, 1), "0 0", "9 10"),
        ((0, 1, 0.01), "0 0.1", "0.9 1"),
        ((0, 300, 3), "0 30", "297 300"),
    ],
)
def test_bounds_are_plain_numbers(ends, first, last):
    bins = named(RatingScale(*ends))
    assert (bins[0], bins[-1]) == (first, last)


def test_a_bound_of_a_fine_scale_belongs_to_the_bin_above():
    scale = RatingScale(1, 10, 0.01)
    assert [scale.bin_of(rating).low for rating in (6.99, 7, 7.01, 10)] == [6, 7, 7, 9]


@pytest.mark.parametrize(
    ("ends", "stars"),
    [
        ((0.5, 5, 0.5), True),
        ((1, 5, 1), True),
        ((1, 4, 0.5), True),
        ((0.5, 5, 0.1), False),
        ((0, 5, 0.5), False),
        ((1, 10, 1), False),
        ((-2, 2, 1), False),
    ],
)
def test_stars_are_whole_or_half_steps_within_half_a_star_and_five(ends, stars):
    assert RatingScale(*ends).is_stars is stars


def test_a_rating_is_read_as_its_level():
    scale = RatingScale(1, 10, 0.01)
    assert str(scale.level(float(np.float32(6.31)))) == "6.31"
    assert [scale.level(rating) for rating in (0, 11)] == [1, 10]
