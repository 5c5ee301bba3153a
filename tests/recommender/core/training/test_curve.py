import numpy as np
import pytest

from recommender.core.training.curve import LossCurve


def test_a_point_of_the_loss_curve_is_the_error_of_a_thousand_examples():
    errors = np.random.default_rng(0).normal(0, 1, 2_500)
    curve = LossCurve()
    for part in np.split(errors**2, [7, 900, 2_100]):
        curve.add(part)
    points = curve.thinned()
    assert [seen for seen, _ in points] == [1000, 2500]
    wanted = [np.sqrt(np.mean(part**2)) for part in np.split(errors, [1000])]
    assert [loss for _, loss in points] == pytest.approx(wanted)


def test_a_short_rest_is_merged_with_the_last_point():
    curve = LossCurve()
    curve.add(np.repeat([1.0, 4.0, 100.0], [1000, 1000, 3]))
    assert curve.thinned()[0] == (1000, 1.0)
    assert curve.thinned()[1:] == [(2003, pytest.approx(np.sqrt((4000 + 300) / 1003)))]


def test_fewer_examples_than_a_point_takes_make_one_point():
    curve = LossCurve()
    curve.add(np.full(7, 9.0))
    assert curve.thinned() == [(7, 3.0)]


def test_a_long_loss_curve_is_thinned_to_five_hundred_points():
    curve = LossCurve()
    curve.add(np.arange(1_203_456) % 7.0)
    points = curve.thinned()
    assert 250 < len(points) <= 500
    assert points[-1][0] == 1_203_456
    assert points[0][1] == pytest.approx(np.sqrt(3), rel=1e-3)


def test_no_examples_make_no_curve():
    assert LossCurve().thinned() == []
