"""Every similarity, neighbourhood and mean agrees with dense matrices and naive loops."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from recommender.core.configs.neighbours import ItemKNNConfig
from recommender.core.neighbours.similar_items import ItemPredictor, find_neighbours
from recommender.core.runs import ignore_progress
from recommender.core.systems import system
from tests.recommender.core.matrices import HALF_STARS, of_dense, random_ratings

N_ITEMS = 9

VARIANTS = [
    ItemKNNConfig(similarity=similarity, over=over, centre=centre, mean_of=whose, shrinkage=damping)
    for similarity, over, centre, whose, damping in product(
        ("cosine", "dot", "correlation"),
        ("full", "common"),
        ("nothing", "stars", "everything"),
        ("item", "user"),
        (0, 2.5),
    )
]


def matrix_of(seed):
    return random_ratings(seed, n_users=14, n_items=N_ITEMS, share=0.5).matrix()


def mean_of(stars):
    return stars[stars > 0].mean() if stars.any() else 0.0


def lists_by_hand(config, dense):
    """For each item the (similarity, item) of its neighbours, most similar first."""
    x, rated = dense, dense > 0
    if config.centre == "everything":
        axis = 0 if config.mean_of == "item" else 1
        means = np.apply_along_axis(mean_of, axis, dense)
        x = np.where(rated, dense - np.expand_dims(means, axis), 0)
    lists = []
    for i in range(N_ITEMS):
        found = []
        for j in range(N_ITEMS):
            both = rated[:, i] & rated[:, j]
            taken = both if config.over == "common" else slice(None)
            a, b = x[taken, i], x[taken, j]
            if i == j or both.sum() < config.minimum_overlap:
                continue
            if config.similarity == "correlation":
                a, b = a - a.mean(), b - b.mean()
            norm = 1.0 if config.similarity == "dot" else np.sqrt((a @ a) * (b @ b))
            s = a @ b / norm if norm > 1e-9 else 0.0
            s = round(s * both.sum() / (both.sum() + config.shrinkage), 12)
            if s > config.minimum_similarity:
                found.append((-round(s, 10), -both.sum(), j, s))
        limit = config.k if config.neighbours == "overall" else config.stored or None
        lists.append([(s, j) for *_, j, s in sorted(found)][:limit])
    return lists


def predicted_by_hand(config, dense, near, profile, item):
    """Stars and weight; ``near`` are the neighbours of the item."""
    means = np.zeros(N_ITEMS)
    if config.centre != "nothing":
        by_item = [mean_of(column) for column in dense.T]
        means = np.array(by_item if config.mean_of == "item" else [mean_of(profile)] * N_ITEMS)
    near = [(s, j) for s, j in near if profile[j]]
    if config.neighbours == "rated":
        near = near[: config.k]
    total = sum(s * (profile[j] - means[j]) for s, j in near)
    weight = sum(abs(s) for s, _ in near)
    if config.combine == "mean" and weight:
        total /= weight
    return means[item] + total, weight


def check(config, seed):
    """On the training profiles and on those of unknown users."""
    matrix, unknown = matrix_of(seed), matrix_of(seed + 1)
    dense = matrix.toarray().astype(float)
    lists = lists_by_hand(config, dense)
    neighbours = find_neighbours(matrix, HALF_STARS, config, ignore_progress)
    predictor = ItemPredictor(matrix, neighbours, config)
    for profiles in (matrix, unknown):
        wanted = np.array(
            [
                [predicted_by_hand(config, dense, lists[i], row, i) for i in range(N_ITEMS)]
                for row in profiles.toarray().astype(float)
            ]
        )
        stars, weight = predictor.grid(profiles, None)
        assert_allclose(weight, wanted[..., 1], rtol=1e-6)
        assert_allclose(stars, wanted[..., 0], rtol=1e-6, atol=1e-6)
        rows, items = np.divmod(np.random.default_rng(seed).permutation(stars.size), N_ITEMS)
        found = predictor.pairs(profiles, None, rows, items)
        assert_array_equal(found, (stars[rows, items], weight[rows, items]))


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_every_similarity_and_mean_agrees_with_dense_matrices(config):
    for seed in range(3):
        check(config, seed)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.builds(
        ItemKNNConfig,
        k=st.sampled_from([1, 3, 40]),
        similarity=st.sampled_from(["cosine", "correlation"]),
        over=st.sampled_from(["full", "common"]),
        shrinkage=st.sampled_from([0.0, 10.0]),
        minimum_overlap=st.sampled_from([1, 2]),
        minimum_similarity=st.sampled_from([-1.0, 0.0, 0.3]),
        neighbours=st.sampled_from(["rated", "overall", "all"]),
        combine=st.sampled_from(["mean", "sum"]),
        centre=st.sampled_from(["nothing", "stars", "everything"]),
        mean_of=st.sampled_from(["item", "user"]),
        stored=st.sampled_from([0, 4]),
    ),
)
def test_any_configuration_agrees_with_a_naive_loop(seed, config):
    check(config, seed)


@pytest.mark.parametrize("preset", system("item-knn").presets)
def test_every_preset_agrees_with_a_naive_loop(preset):
    check(system("item-knn").presets[preset], seed=7)


def test_neighbours_come_in_the_order_of_similarity_then_overlap_then_position():
    matrix, config = matrix_of(3), ItemKNNConfig()
    neighbours = find_neighbours(matrix, HALF_STARS, config, ignore_progress)
    for item, wanted in enumerate(lists_by_hand(config, matrix.toarray().astype(float))):
        assert neighbours[[item]].indices.tolist() == [j for _, j in wanted]


def test_the_cosine_centred_by_users_is_the_adjusted_cosine():
    """Sarwar et al. 2001, section 3.1.3; the users have the means 3 and 4."""
    matrix = of_dense(np.array([[5, 1, 3], [5, 3, 0]])).matrix()
    config = ItemKNNConfig(
        over="common", centre="everything", mean_of="user", minimum_similarity=-2
    )
    neighbours = find_neighbours(matrix, HALF_STARS, config, ignore_progress)
    assert neighbours[0, 1] == pytest.approx((2 * -2 + 1 * -1) / (2**2 + 1**2))


def test_the_number_of_stored_neighbours_is_limited():
    matrix = matrix_of(0)
    every = find_neighbours(matrix, HALF_STARS, ItemKNNConfig(stored=0), ignore_progress)
    some = find_neighbours(matrix, HALF_STARS, ItemKNNConfig(stored=2), ignore_progress)
    assert np.diff(every.indptr).max() > 2
    for item in range(N_ITEMS):
        assert_array_equal(some[[item]].indices, every[[item]].indices[:2])


def test_progress_is_told_for_every_item():
    seen = []
    find_neighbours(matrix_of(0), HALF_STARS, ItemKNNConfig(), seen.append)
    assert [(told.done, told.total) for told in seen] == [
        (item, N_ITEMS) for item in range(N_ITEMS)
    ]
