"""A tree search finds the neighbours of the plain index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.errors import ConfigurationError
from recommender.core.neighbours import trees
from recommender.core.neighbours.similarity import UserIndex
from recommender.core.neighbours.trees import TreeIndex
from recommender.core.ratings import Scale
from tests.recommender.core.matrices import HALF_STARS, of_dense, profiles, random_ratings

OVERALL = UserKNNConfig(neighbours="overall")
KINDS = ["kd-tree", "ball-tree"]


def tree_of(matrix, kind, scale=HALF_STARS):
    return TreeIndex(matrix, scale, UserKNNConfig(neighbours="overall", search=kind))


def assert_same_neighbours(matrix, kind, limit, scale=HALF_STARS):
    own = np.arange(matrix.shape[0])
    plain = UserIndex(matrix, scale, OVERALL).ranked(matrix, exclude=own, limit=limit)
    found = tree_of(matrix, kind, scale).ranked(matrix, exclude=own, limit=limit)
    for ours, wanted in zip(found, plain, strict=True):
        assert_array_equal(ours.users, wanted.users)
        assert_array_equal(ours.similarities, wanted.similarities)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from(KINDS),
    st.sampled_from([1, 5]),
    st.sampled_from([(150, 4, 0.4), (200, 30, 0.2), (3, 5, 0.5)]),
)
def test_a_tree_finds_the_neighbours_of_the_plain_index(seed, kind, limit, shape):
    assert_same_neighbours(random_ratings(seed, *shape).matrix(), kind, limit)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "scale", [Scale(1, 4.5, 0.7), Scale(0.7, 0.7 + 4 * 0.31415926, 0.31415926)], ids=str
)
def test_a_tree_is_exact_on_scales_whose_levels_are_not_whole_steps(kind, scale):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        stars = rng.choice(scale.levels()[:3], (150, 7)) * (rng.random((150, 7)) < 0.7)
        assert_same_neighbours(of_dense(stars, scale).matrix(), kind, 5, scale)


@pytest.mark.parametrize("kind", KINDS)
def test_a_projected_tree_is_exact(monkeypatch, kind):
    monkeypatch.setattr(trees, "MEMORY", 8 * 300 * 10)  # ten dimensions for forty movies
    assert_same_neighbours(random_ratings(2, 300, 40, 0.3).matrix(), kind, 5)


def test_more_users_than_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr(trees, "MEMORY", 8 * 300 * 7)
    with pytest.raises(ConfigurationError, match=r"300 users .* search='blocks'"):
        tree_of(random_ratings(2, 300, 40, 0.3).matrix(), "kd-tree")


@pytest.mark.parametrize("kind", KINDS)
def test_a_tree_skips_users_only_in_few_dimensions(kind):
    matrix = random_ratings(0, 1600, 3, 0.9).matrix()
    tree = tree_of(matrix, kind)
    list(tree.ranked(matrix[:50], limit=5))
    assert 0 < tree.visited < 0.5
    matrix = random_ratings(0, 800, 60, 0.3).matrix()
    tree = tree_of(matrix, kind)
    list(tree.ranked(matrix[:50], limit=5))
    assert tree.visited > 0.9


def test_an_empty_profile_has_no_neighbours_and_visits_no_user():
    tree = tree_of(random_ratings(6).matrix(), "kd-tree")
    (ranked,) = tree.ranked(profiles({}, n_items=9), limit=5)
    assert len(ranked.users) == 0
    assert tree.visited == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_does_not_change_predictions(kind):
    ratings = random_ratings(1, n_users=80, n_items=25, share=0.3)
    rows, items = np.divmod(np.arange(80 * 25), 25)
    plain = UserKNN(OVERALL).fit(ratings)
    by_tree = UserKNN(UserKNNConfig(neighbours="overall", search=kind)).fit(ratings)
    assert_array_equal(by_tree.predict(None, rows, items), plain.predict(None, rows, items))
    assert_array_equal(by_tree.recommend(None, 3).items, plain.recommend(None, 3).items)


def test_a_tree_is_refused_where_it_cannot_search():
    with pytest.raises(ConfigurationError, match="neighbours='overall'"):
        UserKNN(UserKNNConfig(search="kd-tree")).fit(random_ratings(0))
