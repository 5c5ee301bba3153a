from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.mudrecs import MudRecS
from recommender.core.configs.side import MudRecSConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.errors import ConfigurationError
from tests.recommender.core.labelled import LabelledContract, item_labels
from tests.recommender.core.matrices import of_dense, profiles, random_ratings

STRICT = MudRecSConfig(neighbours=2, user_damping=0, shrinkage=0.5)


class TestMudRecS(LabelledContract):
    system = "mudrecs"

    def expect_for_an_empty_profile(self, ratings):
        return np.full(ratings.n_items, ratings.values.mean(dtype=float))


class TestMudRecSByRegression(LabelledContract):
    system = "mudrecs"
    config = MudRecSConfig(estimate="regression")

    def check_taste(self, loved, hated):
        """On a checkerboard all means are equal, so a mean without the rating tells the rating.

        The regression uses that, which takes weight from the content.
        """
        assert loved.min() > 3.3
        assert hated.max() < 2.7


@pytest.fixture
def ratings():
    """Item 3 is wanted by user 0; its genres are a and b, and a person plays in items 0 and 3."""
    plain = of_dense(np.array([[5, 3, 1, 0], [4, 0, 2, 5.0]]))
    genres = item_labels("a", "b c", "d", "a b")
    people = item_labels("x", "y", "", "x z")
    return replace(plain, labels={"genres": genres, "people": people})


def test_a_prediction_is_the_one_worked_out_by_hand(ratings):
    """Similarities to item 3. Genres: a of {a, b} 1/2, b of {a, b, c} 1/3, none. People: 1/2, 0, 0.

    Certainty: 1/2 + 1/2 - 1/4 = 3/4, 1/3 and 0; the user's mean is 3. So 3 + (9/16 2 + 1/9 0) /
    (9/16 + 1/9 + 1/2).
    """
    found = MudRecS(STRICT).fit(ratings).predict(None, np.array([0]), np.array([3]))
    assert found[0] == pytest.approx(3 + (9 / 16 * 2) / (9 / 16 + 1 / 9 + 1 / 2))


def test_only_the_most_similar_items_and_those_tied_with_them_count(ratings):
    genres = item_labels("a b", "a b", "b", "a b")
    alike = replace(ratings, labels={"genres": genres})
    config = replace(STRICT, neighbours=1)
    found = MudRecS(config).fit(alike).predict(None, np.array([0]), np.array([3]))
    assert found[0] == pytest.approx(3 + (2 + 0) / (2 + 0.5))


def test_words_are_compared_by_the_cosine_of_their_tf_idf(ratings):
    """idf: war log 3/2, love log 3/1, rain log 3/2 over the three items with words."""
    labels = {
        "genres": item_labels("", "", "", ""),
        "keywords": item_labels("war", "love", "", "war"),
        "tags": item_labels("rain", "", "", "rain rain"),
    }
    config = replace(STRICT, neighbours=3, power=1)
    found = MudRecS(config).fit(replace(ratings, labels=labels))
    near = (1 + 2) / np.sqrt(2 * 5)
    star = found.predict(None, np.array([0]), np.array([3]))[0]
    assert star == pytest.approx(3 + near * 2 / (near + 0.5))


def test_no_rating_of_another_user_changes_a_strict_prediction(ratings):
    unseen = profiles({0: 5, 1: 2}, n_items=4)
    other = of_dense(np.array([[1, 2, 4, 2], [5, 0, 4, 3.5]]))
    other = replace(other, labels=ratings.labels)
    pair = np.zeros(1, int), np.full(1, 3)
    assert_array_equal(
        MudRecS(STRICT).fit(ratings).predict(unseen, *pair),
        MudRecS(STRICT).fit(other).predict(unseen, *pair),
    )


def test_an_item_without_content_is_not_covered(ratings):
    bare = replace(ratings, labels={"genres": item_labels("a", "", "b", "a b")})
    model = MudRecS(STRICT).fit(bare)
    stars, covered = model.predict_covered(None, np.ones(4, int), np.arange(4))
    assert covered.tolist() == [True, False, True, True]
    assert stars[1] == pytest.approx(ratings.values[3:].mean())


def labelled(seed):
    rng = np.random.default_rng(seed)
    rows = [" ".join(rng.choice(list("abcd"), 2, replace=False)) for _ in range(12)]
    people = [" ".join(rng.choice(list("xyz"), 1)) for _ in range(12)]
    plain = random_ratings(seed, n_users=20, n_items=12, share=0.5)
    return replace(plain, labels={"genres": item_labels(*rows), "people": item_labels(*people)})


def test_the_training_error_is_that_of_each_rating_without_itself():
    ratings = labelled(2)
    model = MudRecS(STRICT).fit(ratings)
    mean, squares = model.bias_.mean, []
    dense = ratings.matrix().toarray()
    for user, item in zip(*np.nonzero(dense), strict=True):
        rest = dense[[user]].copy()
        rest[0, item] = 0
        given = profiles({i: rest[0, i] for i in np.flatnonzero(rest[0])}, n_items=12)
        found = model.predict(given, np.array([0]), np.array([item]))[0]
        squares.append((found - dense[user, item]) ** 2)
    assert model.train_rmse_ == pytest.approx(np.sqrt(np.mean(squares)), abs=1e-8)
    assert mean > 0


def test_the_regression_is_a_ridge_on_estimates_without_the_rating_itself():
    ratings = labelled(4)
    config = MudRecSConfig(estimate="regression", neighbours=3, ridge=0.7)
    model = MudRecS(config).fit(ratings)
    columns, stars = [], []
    dense = ratings.matrix().toarray().astype(float)
    only = {kind: replace_labels(ratings, kind) for kind in ("genres", "people")}
    by_kind = {
        kind: MudRecS(replace(config, estimate="content")).fit(part) for kind, part in only.items()
    }
    for user, item in zip(*np.nonzero(dense), strict=True):
        rest = dense.copy()
        rest[user, item] = 0
        own = rest[user][rest[user] > 0]
        others = rest[:, item][rest[:, item] > 0]
        mean = model.bias_.mean
        base = (own.sum() + 5 * mean) / (len(own) + 5)
        given = profiles({i: rest[user, i] for i in np.flatnonzero(rest[user])}, n_items=12)
        estimates = [
            by_kind[kind]._predict(given, np.array([0]), np.array([item]), training=False)[0]
            if len(own)
            else mean
            for kind in ("genres", "people")
        ]
        item_mean = mean + (others - mean).sum() / (len(others) + 5)
        columns.append([*estimates, base, base, item_mean, np.log1p(len(others))])
        stars.append(dense[user, item])
    columns, stars = np.array(columns), np.array(stars)
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    left = np.vstack([scaled, np.sqrt(0.7) * np.eye(6)])
    weights = np.linalg.lstsq(left, np.append(stars - stars.mean(), np.zeros(6)))[0]
    expected = stars.mean() + scaled @ weights
    found = model.weights_[0] + columns @ model.weights_[1:]
    assert_allclose(found, expected, atol=1e-7)


def replace_labels(ratings, kind):
    """The same ratings with the labels of one kind alone."""
    labels = {"genres": item_labels(*[""] * 12), kind: ratings.labels[kind]}
    return replace(ratings, labels=labels)


def test_a_regression_without_content_still_uses_the_means():
    plain = replace(random_ratings(1), labels={"genres": item_labels(*[""] * 9)})
    model = MudRecS(MudRecSConfig(estimate="regression")).fit(plain)
    rows, items = np.divmod(np.arange(12 * 9), 9)
    assert np.isfinite(model.predict(None, rows, items)).all()
    assert np.unique(model.predict(None, rows[:9], items[:9])).size > 1


def test_no_more_examples_than_allowed_are_read():
    ratings = labelled(2)
    few = MudRecS(replace(STRICT, most_examples=1)).fit(ratings)
    everything = MudRecS(STRICT).fit(ratings)
    assert few.train_rmse_ != everything.train_rmse_
    assert BiasTerms.learn(ratings.matrix(), BiasConfig()).mean == few.bias_.mean


@pytest.mark.filterwarnings("error")
def test_tags_that_were_all_given_after_the_cut_say_nothing(ratings):
    later = replace(item_labels("dark", "", "", "dark"), times=np.array([5, 6]))
    without = MudRecS(STRICT).fit(ratings)
    model = MudRecS(STRICT).fit(
        replace(ratings, labels={**ratings.labels, "tags": later.before(5)})
    )
    rows, items = np.divmod(np.arange(8), 4)
    assert_array_equal(model.predict(None, rows, items), without.predict(None, rows, items))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"neighbours": 0}, {"most_examples": 0}, {"user_damping": -1.0}, {"item_damping": -1.0}),
        *({"power": 0.0}, {"shrinkage": 0.0}, {"ridge": 0.0}, {"estimate": "both"}),
    ],
    ids=str,
)
def test_an_impossible_configuration_is_refused(ratings, wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        MudRecS(MudRecSConfig(**wrong)).fit(ratings)
