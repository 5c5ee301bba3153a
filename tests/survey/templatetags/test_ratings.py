"""How ratings of any scale are read out on pages."""

import pytest
from django.utils import translation

from survey.scales import RatingScale
from survey.templatetags import ratings

STARS, TEN, GAMES = RatingScale(0.5, 5, 0.5), RatingScale(1, 10, 1), RatingScale(1, 10, 0.01)
JOKES, SHARE = RatingScale(-10, 10, 0.01), RatingScale(0, 1, 0.01)


def words(scale, rating):
    return ratings.bin_in_words(scale.bin_of(rating), scale)


@pytest.mark.parametrize(
    ("scale", "rating", "said"),
    [
        (STARS, 1, "1 star"),
        (STARS, 4.5, "4.5 stars"),
        (TEN, 7, "7 of 10"),
        (GAMES, 7.31, "7 to 8 of 10"),
        (JOKES, -3.2, "−4 to −2 on a scale from −10 to 10"),
    ],
)
def test_only_scales_of_stars_are_named_in_stars(scale, rating, said):
    assert words(scale, rating) == said


@pytest.mark.parametrize(
    ("scale", "mean", "said"),
    [
        (STARS, 3.04, "3.0 stars"),
        (GAMES, 7.345, "7.3 of 10"),
        (JOKES, -3.21, "−3.2 on a scale from −10 to 10"),
        (JOKES, -0.01, "0.0 on a scale from −10 to 10"),
        (SHARE, 0.734, "0.73 of 1"),
        (RatingScale(3, 3, 1), 3, "3.0 stars"),
    ],
)
def test_a_mean_has_as_many_decimals_as_its_scale_needs(scale, mean, said):
    assert ratings.mean_in_words(mean, scale) == said


@pytest.mark.parametrize(
    ("scale", "rating", "label"),
    [(TEN, 7, "7"), (GAMES, 9.5, "9–<wbr>10"), (JOKES, -9, "−10…<wbr>−8")],
)
def test_a_bar_has_a_short_label(scale, rating, label):
    assert ratings.bin_label(scale.bin_of(rating)) == label


def test_numbers_are_those_of_the_language():
    half = RatingScale(0, 10, 0.5)
    with translation.override("de"):
        assert words(half, 7.5) == "7 bis 7,5 von 10"
        assert ratings.rating(6.309999942779541, GAMES) == "6,31"
        assert ratings.mean_in_words(-3.21, JOKES) == "−3,2 auf einer Skala von −10 bis 10"
