from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import approx_fprime
from scipy.special import logit

from recommender.core.algorithms.bias import Bias
from recommender.core.algorithms.cmf import CMF, Relation
from recommender.core.configs.side import CMFConfig
from recommender.core.errors import ConfigurationError
from recommender.core.runs import RunOptions
from tests.recommender.core.labelled import LabelledContract, item_labels
from tests.recommender.core.matrices import of_dense, profiles, random_ratings

GENRES = ("a b", "a", "b c", "", "c", "a c", "b", "c")
PEOPLE = ("x", "y", "", "x y", "y", "x z", "z", "")


class TestCMF(LabelledContract):
    system = "cmf"


class TestLogisticCMF(LabelledContract):
    system = "cmf"
    config = CMFConfig(link="logistic", factors=4)


@pytest.fixture
def ratings():
    plain = random_ratings(3, n_users=25, n_items=8)
    return replace(plain, labels={"genres": item_labels(*GENRES), "people": item_labels(*PEOPLE)})


def dense(rows):
    """1 where a label applies, and which items have any."""
    labels = item_labels(*rows).matrix(8).toarray().astype(float)
    return labels, labels.any(axis=1)


def residuals(ratings):
    """Ratings minus the damped bias (n_users, n_items), and where there are any."""
    stars = ratings.matrix().toarray().astype(float)
    bias = Bias().fit(ratings).terms_.grid(ratings.matrix())
    return np.where(stars > 0, stars - bias, 0), stars > 0


def least_squares(blocks, ridge, factors):
    """The vector that minimises the sum over (weight, left, right) of weight |left x - right|^2."""
    left = [np.sqrt(weight) * left for weight, left, _ in blocks] + [
        np.sqrt(ridge) * np.eye(factors)
    ]
    right = [np.sqrt(weight) * right for weight, _, right in blocks] + [np.zeros(factors)]
    return np.linalg.lstsq(np.vstack(left), np.concatenate(right))[0]


def alternate(ratings, relations, config, seed):
    """V by least squares over dense rows, one vector after another."""
    values, given = residuals(ratings)
    a, factors = config.rating_share, config.factors
    items = np.random.default_rng(seed).normal(scale=0.1, size=(8, factors))

    def solve(blocks):
        return least_squares(blocks, config.ridge, factors)

    for _ in range(config.iterations):
        users = np.array([solve([(a, items[g], v[g])]) for v, g in zip(values, given, strict=True)])
        known = []
        for matrix, here in relations:
            above = (matrix - matrix[here].mean(axis=0))[here]
            known.append(
                (above, here, np.array([solve([(1 - a, items[here], c)]) for c in above.T]))
            )
        blocks = [[(a, users[given[:, i]], values[given[:, i], i])] for i in range(8)]
        for above, here, labels in known:
            for row, item in zip(above, np.flatnonzero(here), strict=True):
                blocks[item].append((1 - a, labels, row))
        items = np.array([solve(own) for own in blocks])
    return items


@pytest.mark.parametrize("relations", [("genres",), ("genres", "people")], ids=len)
def test_the_vectors_are_those_of_alternating_least_squares(ratings, relations):
    config = CMFConfig(relations, factors=3, iterations=4, ridge=0.6, least_items=1)
    model = CMF(config).fit(ratings, options=RunOptions(seed=7))
    given = [dense({"genres": GENRES, "people": PEOPLE}[kind]) for kind in relations]
    assert_allclose(model.factors_, alternate(ratings, given, config, 7), atol=1e-8)


@pytest.fixture
def logistic():
    return Relation.read(item_labels(*GENRES), 8, least_items=1, link="logistic")


def logistic_loss(items, labels):
    """Minus the log-likelihood of the genres of the items that have any."""
    matrix, here = dense(GENRES)
    linear = items[here] @ labels.T + logit(matrix[here].mean(axis=0))
    return (np.logaddexp(0, linear) - matrix[here] * linear).sum()


def test_a_logistic_step_follows_the_slope_of_the_loss(logistic):
    rng = np.random.default_rng(2)
    items, labels = rng.normal(size=(8, 3)), rng.normal(size=(3, 3))
    known = items * logistic.known[:, None]
    of_items = known @ logistic.spread(labels) - logistic.pull_items(items, labels)
    of_labels = labels @ logistic.spread(known) - logistic.pull_labels(items, labels)
    slope = partial(approx_fprime, epsilon=1e-6)
    found = slope(items.ravel(), lambda x: logistic_loss(x.reshape(8, 3), labels))
    assert_allclose(of_items.ravel(), found, atol=1e-4)
    found = slope(labels.ravel(), lambda x: logistic_loss(items, x.reshape(3, 3)))
    assert_allclose(of_labels.ravel(), found, atol=1e-4)


def test_no_logistic_step_raises_the_loss(logistic):
    rng, ridge = np.random.default_rng(2), 0.1 * np.eye(3)
    items, labels, losses = 5 * rng.normal(size=(8, 3)), 5 * rng.normal(size=(3, 3)), []
    for _ in range(20):
        pull = logistic.pull_labels(items, labels)
        labels = np.linalg.solve(ridge + logistic.spread(items[logistic.known]), pull.T).T
        losses.append(logistic_loss(items, labels) + 0.05 * (labels**2).sum())
    assert np.all(np.diff(losses) < 0)


def test_the_vector_of_an_unseen_profile_is_a_ridge_regression(ratings):
    config = CMFConfig(factors=3, least_items=1)
    model = CMF(config).fit(ratings)
    unseen = profiles({1: 5, 4: 1, 6: 4.5}, n_items=8)
    bias = model.bias_.grid(unseen)[0]
    above = unseen.data - bias[[1, 4, 6]]
    vector = least_squares(
        [(config.rating_share, model.factors_[[1, 4, 6]], above)], config.ridge, 3
    )
    found = model._predict(unseen, np.zeros(8, int), np.arange(8), training=False)
    assert_allclose(found, bias + model.factors_ @ vector, atol=1e-10)


def test_an_unrated_item_follows_the_taste_for_its_genres():
    """Item 8 and 9 have no ratings; the even users love comedies and hate war."""
    stars = np.where((np.arange(40)[:, None] + np.arange(10)) % 2 == 0, 5.0, 1.0)
    stars[:, 8:] = 0
    plain = of_dense(stars)
    labels = item_labels(*["comedy", "war"] * 5)
    model = CMF(CMFConfig(factors=4, ridge=0.5)).fit(replace(plain, labels={"genres": labels}))
    even = model.predict(None, np.array([0, 0]), np.array([8, 9]))
    assert model.predict_covered(None, np.array([0]), np.array([8]))[1].all()
    assert even[0] > 3.1
    assert even[1] < 2.9


def test_ratings_alone_are_factorised_with_their_whole_weight(ratings):
    config = CMFConfig(rating_share=1, factors=2, iterations=3, ridge=0.6)
    without = CMF(replace(config, relations=())).fit(ratings)
    assert_allclose(CMF(config).fit(ratings).factors_, without.factors_, atol=1e-12)


def test_labels_of_few_or_all_items_are_left_out(ratings):
    rare = item_labels(
        *(f"{row} all {'rare' if place == 1 else ''}" for place, row in enumerate(PEOPLE))
    )
    known = replace(ratings, labels={"people": item_labels(*(f"{row} all" for row in PEOPLE))})
    config = CMFConfig(("people",), factors=2, least_items=2)
    expected = CMF(config).fit(known).factors_
    found = CMF(config).fit(replace(ratings, labels={"people": rare})).factors_
    assert_allclose(found, expected, atol=1e-12)
    assert np.isfinite(found).all()


def test_a_time_limit_ends_the_training_after_an_iteration(ratings):
    short = CMF().fit(ratings, options=RunOptions(max_seconds=0))
    one = CMF(CMFConfig(iterations=1)).fit(ratings)
    assert (short.finished_, one.finished_) == (False, True)
    assert_array_equal(short.factors_, one.factors_)


def test_a_tag_of_the_genome_applies_from_a_relevance_of_a_half_on():
    weights = np.float32([0.9, 0.4, 0.5, 0.2, 0.1, 0.7])
    labels = replace(item_labels("a b", "a b", "b", "b"), weights=weights)
    relation = Relation.read(labels, 4, 1, "gaussian")
    assert relation.matrix.toarray().tolist() == [[1, 0], [1, 0], [0, 0], [0, 1]]
    assert relation.known.tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"factors": 0}, {"iterations": 0}, {"least_items": 0}, {"ridge": 0.0}),
        *({"rating_share": 0.0}, {"rating_share": 1.5}, {"link": "probit"}),
        {"relations": ("genres", "genres")},
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(ratings, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        CMF(CMFConfig(**wrong)).fit(ratings)


def test_a_system_needs_the_relations_it_factorises():
    assert CMFConfig(relations=("genres", "people")).needs == ("genres", "people")
