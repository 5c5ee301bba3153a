import pytest
import torch

from recommender.core.algorithms.autoencoder.rating_classes import RatingClasses
from recommender.core.errors import ConfigurationError
from recommender.core.ratings import Scale
from tests.recommender.core.matrices import HALF_STARS


def test_every_level_of_the_scale_is_a_class():
    classes = RatingClasses.of(HALF_STARS, "half-stars")
    assert classes.values.tolist() == [0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5]
    stars = torch.tensor([0.5, 3.0, 5.0])
    assert classes.find(stars).tolist() == [0, 5, 9]


def test_half_stars_are_rounded_up_to_five_classes():
    """A class stands for the mean of its two levels."""
    classes = RatingClasses.of(HALF_STARS, "five")
    assert classes.values.tolist() == [0.75, 1.75, 2.75, 3.75, 4.75]
    stars = torch.tensor([0.5, 1.0, 1.5, 3.5, 4.0, 5.0])
    assert classes.find(stars).tolist() == [0, 0, 1, 3, 3, 4]


@pytest.mark.parametrize("kind", ["half-stars", "five"])
def test_other_scales_keep_their_levels(kind):
    classes = RatingClasses.of(Scale(1, 4.5, 0.7), kind)
    assert classes.values == pytest.approx([1, 1.7, 2.4, 3.1, 3.8, 4.5])
    stars = torch.tensor([1.7, 3.1], dtype=torch.float32)
    assert classes.find(stars).tolist() == [1, 3]


def test_a_scale_of_too_many_levels_is_refused():
    with pytest.raises(ConfigurationError, match="2,001 levels"):
        RatingClasses.of(Scale(-10, 10, 0.01), "half-stars")


def test_the_expected_stars_are_the_mean_of_the_classes():
    classes = RatingClasses.of(Scale(1, 3, 1), "half-stars")
    chances = torch.tensor([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], dtype=torch.float64)
    assert classes.expected(chances.log()).tolist() == pytest.approx([2.3, 1.0])


def test_a_distribution_around_the_middle_of_the_scale_has_it_as_its_mean():
    classes = RatingClasses.of(HALF_STARS, "half-stars")
    middle = torch.tensor([2.75], dtype=torch.float64)
    assert classes.expected(classes.around(middle)).item() == pytest.approx(2.75)


def test_a_scale_of_one_level_has_one_class():
    classes = RatingClasses.of(Scale(1, 1, 1), "half-stars")
    assert classes.expected(classes.around(torch.tensor([1.0]))).tolist() == [1.0]
