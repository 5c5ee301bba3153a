"""Every similarity, neighbourhood and mean agrees with a naive loop."""

import sys
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from recommender.core.algorithms.bias import BiasTerms
from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.configs.neighbours import UserKNNConfig
from recommender.core.configs.simple import BiasConfig
from recommender.core.neighbours import predictions
from recommender.core.neighbours.predictions import PlainPredictor, build_predictor
from recommender.core.neighbours.similarity import UserIndex
from recommender.core.systems import system
from tests.recommender.core.matrices import HALF_STARS, random_ratings

N_USERS, N_ITEMS = 14, 7

VARIANTS = [
    UserKNNConfig(similarity=similarity, over=over, centre=centre, shrinkage=shrinkage)
    for similarity, over, centre, shrinkage in product(
        ("cosine", "dot", "correlation"),
        ("full", "common"),
        ("nothing", "stars", "everything"),
        (0, 2.5),
    )
]


def similarity_by_hand(config, a, b):
    """The similarity of two profiles and the number of items they share."""
    shared = [i for i in range(N_ITEMS) if a[i] and b[i]]
    if config.centre == "everything":
        a, b = (np.where(x > 0, x - x[x > 0].mean() if x.any() else 0, 0) for x in (a, b))
    taken = range(N_ITEMS) if config.over == "full" else shared
    if not shared:
        return 0.0, 0
    x, y = (np.array([side[i] for i in taken]) for side in (a, b))
    if config.similarity == "correlation":
        x, y = x - x.mean(), y - y.mean()
    found = float(x @ y)
    if config.similarity != "dot":
        norms = float(np.sqrt((x @ x) * (y @ y)))
        found = found / norms if norms > 1e-9 else 0.0
    found *= len(shared) / (len(shared) + config.shrinkage)
    return round(found, 12), len(shared)  # a rounding error is not a weight


def neighbours_by_hand(config, dense, row):
    """(similarity, user) of all possible neighbours, most similar first."""
    found = []
    for user in range(N_USERS):
        similarity, shared = similarity_by_hand(config, dense[row], dense[user])
        near = similarity > config.minimum_similarity
        if user != row and near and shared >= config.minimum_overlap:
            found.append((-round(similarity, 10), -shared, user, similarity))
    return [(similarity, user) for *_, user, similarity in sorted(found)]


def predicted_by_hand(config, dense, row, item):
    """None without a neighbour."""
    near = neighbours_by_hand(config, dense, row)
    if config.neighbours == "raters":
        near = [(s, user) for s, user in near if dense[user, item]][: config.k]
    elif config.neighbours == "overall":
        near = near[: config.k]
    means = [x[x > 0].mean() if x.any() else 0.0 for x in dense]
    if config.centre == "nothing":
        means = [0.0] * N_USERS
    rated = [(s, dense[user, item] - means[user]) for s, user in near if dense[user, item]]
    total = sum(s * stars for s, stars in rated)
    everyone = near if config.combine == "mean-with-zeros" else rated
    weight = sum(abs(s) for s, _ in everyone)
    if not weight:
        return None
    return means[row] + (total if config.combine == "sum" else total / weight)


def check(config, seed):
    ratings = random_ratings(seed, n_users=N_USERS, n_items=N_ITEMS, share=0.5)
    dense = ratings.matrix().toarray().astype(float)
    bias = BiasTerms.learn(ratings.matrix(), BiasConfig()).grid(ratings.matrix())
    rows, items = np.divmod(np.arange(N_USERS * N_ITEMS), N_ITEMS)
    by_hand = [predicted_by_hand(config, dense, *pair) for pair in zip(rows, items, strict=True)]
    fallback = (
        bias.ravel() if config.fallback == "bias" else np.full(len(rows), dense[dense > 0].mean())
    )
    wanted = [fallback[i] if stars is None else stars for i, stars in enumerate(by_hand)]
    model = UserKNN(config).fit(ratings)
    assert_allclose(model.predict(None, rows, items), HALF_STARS.clip(wanted), atol=1e-8)
    scores, *_ = model._score(ratings.matrix(), np.arange(N_USERS))
    assert_allclose(scores.ravel(), wanted, atol=1e-8)


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_every_similarity_agrees_with_a_naive_loop(config):
    for seed in range(3):
        matrix = random_ratings(seed, n_users=N_USERS, n_items=N_ITEMS, share=0.5).matrix()
        index, dense = UserIndex(matrix, HALF_STARS, config), matrix.toarray().astype(float)
        for row, ranked in enumerate(index.ranked(matrix, exclude=np.arange(N_USERS))):
            by_hand = neighbours_by_hand(config, dense, row)
            assert ranked.users.tolist() == [user for _, user in by_hand]
            assert_allclose(ranked.similarities, [s for s, _ in by_hand], rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.builds(
        UserKNNConfig,
        k=st.sampled_from([1, 3, 40]),
        similarity=st.sampled_from(["cosine", "correlation"]),
        over=st.sampled_from(["full", "common"]),
        shrinkage=st.sampled_from([0.0, 10.0]),
        minimum_overlap=st.sampled_from([1, 2]),
        minimum_similarity=st.sampled_from([-1.0, 0.0, 0.3]),
        neighbours=st.sampled_from(["raters", "overall", "all"]),
        combine=st.sampled_from(["mean", "mean-with-zeros", "sum"]),
        centre=st.sampled_from(["nothing", "stars", "everything"]),
        fallback=st.sampled_from(["bias", "mean"]),
    ),
)
def test_predictions_of_any_configuration_agree_with_a_naive_loop(seed, config):
    check(config, seed)


@pytest.mark.parametrize("preset", system("user-knn").presets)
def test_predictions_of_every_preset_agree_with_a_naive_loop(preset):
    check(system("user-knn").presets[preset], seed=7)


def test_few_users_or_no_numba_take_the_plain_form(monkeypatch):
    matrix = random_ratings(0).matrix()
    assert type(build_predictor(matrix, HALF_STARS, UserKNNConfig())) is PlainPredictor
    monkeypatch.setattr(predictions, "COMPILE_FROM_USERS", 0)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert type(build_predictor(matrix, HALF_STARS, UserKNNConfig())) is PlainPredictor
