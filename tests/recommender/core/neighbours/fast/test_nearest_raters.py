import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours.predictions import PlainPredictor
from tests.recommender.core.matrices import HALF_STARS, profiles, random_ratings

pytest.importorskip("numba")

from recommender.core.neighbours.fast import nearest_raters
from recommender.core.neighbours.fast.nearest_raters import CompiledPredictor
from recommender.core.neighbours.fast.packed_profiles import to_integer_profiles

SHAPES = st.sampled_from(
    [(300, 20, 0.1), (130, 8, 0.5), (65, 700, 0.6), (1, 3, 0.9), (2_000, 12, 0.4)]
)


def predictor_of(matrix, k=5):
    integer = to_integer_profiles(matrix, HALF_STARS)
    return CompiledPredictor(integer, matrix.shape[1], HALF_STARS, k, threads=2)


def assert_same(found, wanted):
    for part, expected in zip(found, wanted, strict=True):
        assert_array_equal(part, expected)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), SHAPES, st.sampled_from([1, 5, 40]), st.booleans())
def test_predictions_are_those_of_the_plain_form(seed, shape, k, excluded):
    matrix = random_ratings(seed, *shape).matrix()
    some = np.arange(0, shape[0], 1 + shape[0] // 100)
    own = some if excluded else None
    compiled, plain = (
        predictor_of(matrix, k),
        PlainPredictor(matrix, HALF_STARS, UserKNNConfig(k=k)),
    )
    wanted = plain.grid(matrix[some], own)
    assert_same(compiled.grid(matrix[some], own), wanted)
    rows, items = np.random.default_rng(seed).integers(0, (len(some), shape[1]), (500, 2)).T
    pairs = compiled.pairs(matrix[some], own, rows, items)
    assert_same(pairs, [part[rows, items] for part in wanted])


@pytest.mark.parametrize("walk", [0, 64, 1_024, 10_000])
def test_the_number_of_profiles_read_first_changes_no_prediction(monkeypatch, walk):
    matrix = random_ratings(2, 3_000, 12, 0.4).matrix()
    some = np.arange(0, 3_000, 100)
    monkeypatch.setattr(nearest_raters, "WALK", walk)
    assert_same(
        predictor_of(matrix, 40).grid(matrix[some], some),
        PlainPredictor(matrix, HALF_STARS, UserKNNConfig(k=40)).grid(matrix[some], some),
    )


def test_all_users_above_a_bound_are_the_most_similar_however_close_they_are():
    keys = 1 + 1e-9 * np.random.default_rng(0).permutation(3_000)
    near = nearest_raters._most_similar(keys, 1_024)
    assert 500 < len(near) < 2_000
    assert_array_equal(near, np.argsort(-keys)[: len(near)])


def test_profiles_off_the_scale_are_refused():
    compiled = predictor_of(random_ratings(5, 50, 10, 0.5).matrix())
    with pytest.raises(ConfigurationError, match="scale"):
        compiled.grid(profiles({0: 40}, n_items=10), None)


def test_read_only_ratings_are_accepted():
    matrix = random_ratings(5, 50, 10, 0.5).matrix()
    before = predictor_of(matrix).grid(matrix, None)
    for part in (matrix.data, matrix.indices, matrix.indptr):
        part.setflags(write=False)
    assert_same(predictor_of(matrix).grid(matrix, None), before)
