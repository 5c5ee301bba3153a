from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime, minimize
from scipy.sparse import csr_array
from scipy.special import expit, logit

from recommender.core.algorithms.mood_mf import JointLoss, MoodMF
from recommender.core.algorithms.moods import SimilarPairs
from recommender.core.configs.side import MoodMFConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.labelled import LabelledContract, item_labels
from tests.recommender.core.matrices import profiles, random_ratings

PAIRS = SimilarPairs(np.array([0]), np.array([1]), np.array([0.9]))


class TestMoodMF(LabelledContract):
    system = "mood-mf"
    kinds = ("tags",)
    even, odd = "funny", "bleak"


class TestMoodMFFromTheGenome(LabelledContract):
    system = "mood-mf"
    config = MoodMFConfig(source="genome", factors=4)
    kinds = ("genome",)
    even, odd = "funny", "bleak"


def test_one_step_is_the_one_worked_out_by_hand():
    """Two users with one factor, three items; items 0 and 1 have a similarity of 0.9.

    All vectors are zero but U = (2, 0) and V = (0, 0, 0), so every s is 1/2 and s' is 1/4.
    User 0 gave item 0 the share 1 and item 2 the share 0, user 1 gave item 1 the share 1.
    """
    given = csr_array(np.array([[1.0, 0, 0.25], [0, 1.0, 0]]))
    loss = JointLoss(given, np.zeros(3), PAIRS, weight=0.5, penalty=0.1)
    users, items = np.array([[2.0], [0.0]]), np.zeros((3, 1))
    value, by_users, by_items = loss.slopes(users, items)
    # Errors: -1/2, 1/4, -1/2; of the similarity: 1/2 - 0.9 = -0.4.
    assert value == pytest.approx(0.5 * (0.25 + 0.0625 + 0.25) + 0.25 * 0.16 + 0.05 * 4)
    # V is zero, so U moves by its penalty alone, and V by e s' U: -1/2 1/4 2 and 1/4 1/4 2.
    assert_allclose(users - by_users, [[1.8], [0]])
    assert_allclose(items - by_items, [[0.25], [0], [-0.125]])
    # The similarity pulls when the vectors are not zero: e' s' V[j], times its weight.
    items = np.array([[0.0], [1.0], [0.0]])
    _, _, by_items = loss.slopes(np.zeros((2, 1)), items)
    assert_allclose(by_items, [[0.5 * -0.4 * 0.25 * 1], [0.1], [0]])


def test_the_slopes_are_those_of_the_loss():
    rng = np.random.default_rng(3)
    given = random_ratings(3, n_users=5, n_items=4).matrix().astype(float) / 5
    loss = JointLoss(given, rng.normal(size=given.nnz), PAIRS, weight=0.7, penalty=0.2)
    users, items = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    _, by_users, by_items = loss.slopes(users, items)

    def value(flat):
        return loss.slopes(flat[:15].reshape(5, 3), flat[15:].reshape(4, 3))[0]

    flat = np.concatenate([users, items]).ravel()
    found = approx_fprime(flat, value, 1e-6)
    assert_allclose(np.concatenate([by_users, by_items]).ravel(), found, atol=1e-5)


@pytest.fixture
def ratings():
    plain = random_ratings(3, n_users=25, n_items=8)
    tags = item_labels("dark", "dark", "silly", "", "boxing", "dark tense", "silly", "tense")
    return replace(plain, labels={"tags": tags})


def test_the_vector_of_an_unseen_profile_has_the_least_loss(ratings):
    model = MoodMF(MoodMFConfig(factors=3, penalty=0.02)).fit(ratings)
    unseen = profiles({1: 5, 4: 1, 6: 4.5}, n_items=8)
    items, shares = model.factors_[[1, 4, 6]], (unseen.data - 0.5) / 4.5
    offsets = logit((model.bias_.grid(unseen)[0] - 0.5) / 4.5)

    def loss(vector):
        errors = expit(offsets[[1, 4, 6]] + items @ vector) - shares
        return errors @ errors + 0.02 * vector @ vector

    best = minimize(loss, np.zeros(3), tol=1e-12).x
    found = model._predict(unseen, np.zeros(8, int), np.arange(8), training=False)
    assert_allclose(found, 0.5 + 4.5 * expit(offsets + model.factors_ @ best), atol=1e-5)


def test_the_training_vectors_are_those_of_the_profiles_at_the_minimum(ratings):
    """So that reading a profile loses nothing: the whole loss cannot fall by moving U."""
    model = MoodMF(MoodMFConfig(factors=2, steps=2000)).fit(ratings)
    seen = []
    model._minimise = lambda loss, options: seen.append(loss) or model.factors_
    items = model.factors_
    model.fit(ratings)
    users = np.array(
        [
            model._vector(items[own.indices], offsets, own.data)
            for own, offsets in zip(
                (seen[0].ratings[[row]] for row in range(25)),
                np.split(seen[0].offsets, ratings.indptr[1:-1]),
                strict=True,
            )
        ]
    )
    _, by_users, by_items = seen[0].slopes(users, items)
    assert_allclose(by_users, 0, atol=1e-6)
    assert_allclose(by_items, 0, atol=1e-3)


def test_similar_moods_bring_vectors_together(ratings):
    near = MoodMF(MoodMFConfig(factors=3, mood_weight=10)).fit(ratings).factors_
    far = MoodMF(MoodMFConfig(factors=3, mood_weight=0)).fit(ratings).factors_
    assert expit(near[0] @ near[1]) > expit(far[0] @ far[1]) + 0.1


def test_without_an_offset_an_empty_profile_still_gets_the_damped_bias(ratings):
    model = MoodMF(MoodMFConfig(factors=3, offset="nothing")).fit(ratings)
    found = model.predict(profiles({}, n_items=8), np.zeros(8, int), np.arange(8))
    assert_allclose(found, model.bias_.item_means())


def test_a_time_limit_ends_the_training_after_a_step(ratings):
    short = MoodMF().fit(ratings, options=RunOptions(max_seconds=0))
    one = MoodMF(MoodMFConfig(steps=1)).fit(ratings)
    assert (short.finished_, one.finished_) == (False, True)
    assert_array_equal(short.factors_, one.factors_)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"factors": 0}, {"steps": 0}, {"neighbours": 0}, {"penalty": 0.0}),
        *({"mood_weight": -1.0}, {"offset": "mean"}, {"mood": "boxing"}),
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(ratings, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        MoodMF(MoodMFConfig(**wrong)).fit(ratings)
