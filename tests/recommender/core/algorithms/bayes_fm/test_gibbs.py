import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array

from recommender.core.algorithms.bayes_fm.gibbs import Group, Mode, draw_group


def test_repeated_means_of_the_draws_solve_the_ridge_regression():
    rng = np.random.default_rng(0)
    entities, features = (
        rng.integers(0, 6, 40),
        csr_array(rng.random((6, 4)) * (rng.random((6, 4)) < 0.7)),
    )
    target, derivatives, alpha, precision, centre = (
        rng.normal(size=40),
        rng.normal(size=40),
        2.0,
        3.0,
        0.5,
    )
    slopes, values, totals = np.bincount(entities, derivatives**2, 6), np.zeros(4), np.zeros(6)
    places = Group(features, np.zeros((1, 4)), centred=True).places
    for _ in range(300):
        errors = target - derivatives * totals[entities]
        products = np.bincount(entities, derivatives * errors, 6)
        normal = alpha, precision, centre
        draw_group(*places, slopes, products, *normal, np.zeros(4), values, totals)
    design = derivatives[:, None] * features.toarray()[entities]
    system = alpha * design.T @ design + precision * np.eye(4)
    wanted = np.linalg.solve(system, alpha * design.T @ target + precision * centre)
    assert_allclose(values, wanted, atol=1e-9)
    assert_allclose(totals, features @ values, atol=1e-9)


def test_a_draw_has_the_mean_and_variance_of_the_conditional_distribution():
    starts, entities, weights = np.array([0, 1]), np.zeros(1, np.int32), np.ones(1)
    noise, found = np.random.default_rng(0).normal(size=20_000), []
    for one in noise:
        values, totals, products = np.zeros(1), np.zeros(1), np.array([5.0])
        normal = (2.0, 3.0, 0.5)  # alpha, precision, centre
        draw_group(
            starts,
            entities,
            weights,
            np.array([4.0]),
            products,
            *normal,
            np.array([one]),
            values,
            totals,
        )
        found.append(values[0])
    assert np.mean(found) == pytest.approx((2 * 5 + 3 * 0.5) / (2 * 4 + 3), abs=0.01)
    assert np.var(found) == pytest.approx(1 / (2 * 4 + 3), rel=0.05)


def test_precision_and_mean_of_a_group_follow_its_values():
    rng = np.random.default_rng(0)
    group = Group(csr_array(np.eye(5000)), 2 + 0.5 * rng.normal(size=(1, 5000)), centred=False)
    for _ in range(5):
        group.draw_distribution(0, rng)
    assert group.precisions[0] == pytest.approx(4, rel=0.1)
    assert group.means[0] == pytest.approx(2, abs=0.05)


def test_errors_stay_those_of_the_totals():
    rng, entities = np.random.default_rng(1), np.arange(30) % 6
    group = Group(csr_array(np.eye(6)), np.zeros((1, 6)), centred=False)
    mode = Mode(entities, [group], np.zeros((1, 6)))
    target, derivatives = rng.normal(size=30), rng.normal(size=30)
    errors = target.copy()
    mode.draw(0, derivatives, errors, 1.0, rng)
    assert_allclose(errors, target - derivatives * mode.totals[0][entities], atol=1e-12)
