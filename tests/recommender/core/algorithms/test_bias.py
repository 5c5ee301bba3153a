import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recommender.core.algorithms.bias import Bias
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings


class TestBias(SystemContract):
    system = "bias"
    is_personal = False


def by_hand(ratings, user_damping, item_damping):
    """LensKit's BiasModel as loops: item offsets first, then user offsets of the residuals."""
    dense = ratings.matrix().toarray().astype(float)
    mean = ratings.values.astype(float).mean()
    item, user = np.zeros(dense.shape[1]), np.zeros(dense.shape[0])
    for i in range(dense.shape[1]):
        column = [r - mean for r in dense[:, i] if r]
        item[i] = sum(column) / (len(column) + item_damping) if column else 0
    for u in range(dense.shape[0]):
        row = [dense[u, i] - mean - item[i] for i in range(dense.shape[1]) if dense[u, i]]
        user[u] = sum(row) / (len(row) + user_damping) if row else 0
    return mean + item[None, :] + user[:, None]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 5.0]), st.sampled_from([0.0, 2.5]))
def test_offsets_are_the_damped_means_of_the_definition(seed, user_damping, item_damping):
    ratings = random_ratings(seed)
    model = Bias(BiasConfig(user_damping, item_damping)).fit(ratings)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    wanted = HALF_STARS.clip(by_hand(ratings, user_damping, item_damping))
    assert_allclose(model.predict(None, rows, items).reshape(12, 9), wanted, atol=1e-9)


def test_a_generous_profile_raises_every_prediction():
    model = Bias().fit(random_ratings(3))
    generous = profiles({0: 5, 1: 5, 2: 5}, {0: 1, 1: 1, 2: 1}, n_items=9)
    stars = model.predict(generous, np.array([0, 1]), np.array([5, 5]))
    assert stars[0] - stars[1] == pytest.approx(3 / (3 + 5) * 4)


def test_the_training_error_leaves_each_users_own_rating_out():
    model = Bias(BiasConfig(user_damping=0, item_damping=0)).fit(
        of_dense(np.array([[5.0, 1.0], [5.0, 1.0]]))
    )
    assert model.train_rmse_ == pytest.approx(0)
    lone = Bias(BiasConfig(user_damping=0, item_damping=1e9)).fit(of_dense(np.array([[5.0, 1.0]])))
    assert lone.train_rmse_ == pytest.approx(4)  # each rating predicted by the other one


@pytest.mark.parametrize("field", ["user_damping", "item_damping"])
def test_a_negative_damping_is_refused(field):
    with pytest.raises(ConfigurationError, match=f"{field}=-3"):
        Bias(BiasConfig(**{field: -3.0})).fit(random_ratings(0))
