"""Systems that other libraries have too agree with these, on fold u1 of ml-100k."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recommender.core.algorithms.base import implementation
from recommender.core.algorithms.implicit_als import ImplicitALS
from recommender.core.configs.liked_items import ImplicitALSConfig
from recommender.core.configs.side import CMFConfig
from recommender.core.neighbours.similarity import UserIndex
from recommender.core.readers.source import read_source
from recommender.core.splitting import split
from recommender.core.systems import override, system
from tests.requirements import need

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parents[3]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
CLOSE = {"surprise": 1e-6, "lenskit": 1e-5}  # LensKit computes in float32
NOISE = 1e-6


@pytest.fixture(scope="module")
def fold(real_data):
    return split(read_source(real_data / "ml-100k").ratings, "official-u1", 0)


def predicted_by(peer, fold, folder):
    """The predictions of the other library, NaN where it makes none."""
    need(PEERS.exists(), "there is no second environment (make peers)")
    train = fold.train
    np.save(folder / "train.npy", np.stack([train.rows(), train.indices, train.values]))
    np.save(folder / "test.npy", np.stack([fold.test_rows, fold.test_items]))
    command = [PEERS, ROOT / "benchmarks" / "_rating_peers.py", peer, folder, folder / "out.npy"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return np.load(folder / "out.npy")


def reachable_by_other_ties(matrix, scale, config, row, item):
    """The least and largest prediction over all choices among the users tied at rank k.

    None where ranks k and k + 1 are not tied, so there is no choice.
    """
    index = UserIndex(matrix, scale, config)
    (ranked,) = index.ranked(matrix[[row]], exclude=np.array([row]))
    given = matrix[:, [item]].toarray()[ranked.users, 0].astype(float)
    similarities, users = ranked.similarities[given > 0], ranked.users[given > 0]
    given, k = given[given > 0], config.k
    if len(given) <= k or similarities[k - 1] - similarities[k] > NOISE:
        return None
    if config.centre != "nothing":
        given = given - [matrix[[user]].data.mean() for user in users]
    tied = np.abs(similarities - similarities[k - 1]) <= NOISE
    sure = (similarities > similarities[k - 1]) & ~tied
    left = k - sure.sum()
    weight = similarities[:k].sum()
    total = (similarities * given)[sure].sum()
    choices = np.sort(similarities[k - 1] * given[tied])
    own = matrix[[row]].data.mean() if config.centre != "nothing" else 0
    return (
        own + (total + choices[:left].sum()) / weight,
        own + (total + choices[len(choices) - left :].sum()) / weight,
    )


def unclipped(system, config, fold):
    """The model, and its predictions before they are limited to the scale."""
    model = implementation(system)(config).fit(fold.train)
    return model, model._predict(model.profiles_, fold.test_rows, fold.test_items, training=True)


USER, ITEM = system("user-knn").presets, system("item-knn").presets


@pytest.mark.parametrize(
    ("name", "peer", "config", "most_tied"),
    [
        ("user-knn", "surprise", USER["surprise"], 0.03),
        ("user-knn", "lenskit", USER["lenskit"], 0.001),
        ("item-knn", "surprise-items", ITEM["surprise"], 0.03),
        ("item-knn", "surprise-item-means", override(ITEM["surprise"], centre="stars"), 0.03),
        ("item-knn", "lenskit-items", ITEM["lenskit"], 0.001),
    ],
)
def test_predictions_are_those_of_the_library(
    fold, tmp_path, capsys, name, peer, config, most_tied
):
    theirs, close = predicted_by(peer, fold, tmp_path), CLOSE[peer.partition("-")[0]]
    model, ours = unclipped(name, config, fold)
    matrix, pairs = fold.train.matrix(), (fold.test_rows, fold.test_items)
    if name == "item-knn":  # the neighbours are rows of the transposed matrix
        matrix, pairs = matrix.T.tocsr(), pairs[::-1]
    made = np.isfinite(theirs)
    if peer == "surprise-item-means":  # predicts the item's mean where no neighbour was rated
        made &= (
            model._predictor.pairs(model.profiles_, None, fold.test_rows, fold.test_items)[1] > 0
        )
    differ = made & (np.abs(ours - theirs) > close)
    with capsys.disabled():
        print(f"\n{peer}: {made.sum()} predictions, {differ.sum()} differ")
    assert made.mean() > 0.99
    assert differ.mean() < most_tied
    for place in np.flatnonzero(differ):
        bounds = reachable_by_other_ties(
            matrix, fold.train.scale, config, pairs[0][place], pairs[1][place]
        )
        assert bounds is not None, f"pair {place} differs without a tie at rank k"
        assert bounds[0] - close <= theirs[place] <= bounds[1] + close
        assert bounds[0] - close <= ours[place] <= bounds[1] + close


@pytest.mark.parametrize(("name", "peer"), [("user-knn", "lenskit"), ("item-knn", "lenskit-items")])
def test_the_damped_bias_replaces_missing_predictions_of_lenskit(fold, tmp_path, name, peer):
    missing = np.isnan(predicted_by(peer, fold, tmp_path))
    model, ours = unclipped(name, system(name).presets["lenskit"], fold)
    rows, items = fold.test_rows[missing], fold.test_items[missing]
    bias = model.bias_.predict(model.profiles_, rows, items)
    assert missing.any()
    assert_allclose(ours[missing], bias, atol=1e-9)


@pytest.mark.parametrize("name", ["svd", "svdpp"])
def test_factors_are_those_of_surprise(fold, tmp_path, name):
    """But where user or item has no training rating, we predict the damped bias."""
    theirs = predicted_by(f"surprise-{name}", fold, tmp_path)
    model, ours = unclipped(name, system(name).presets["surprise"], fold)
    warm = (model.counts_ > 0)[fold.test_items] & (np.diff(fold.train.indptr) > 0)[fold.test_rows]
    assert warm.mean() > 0.99
    assert_allclose(ours[warm], theirs[warm], atol=CLOSE["surprise"])


def test_collective_factors_give_the_predictions_of_cmfrec(fold, tmp_path):
    """With enough factors the loss has one minimum, which both reach from their own start."""
    config = CMFConfig(factors=16, ridge=10.0, rating_share=0.5, iterations=400, least_items=1)
    model, ours = unclipped("cmf", config, fold)
    genres = fold.train.labels["genres"].matrix(fold.train.n_items).toarray() > 0
    np.save(tmp_path / "labels.npy", genres.astype(np.float64))
    rows, items = fold.train.rows(), fold.train.indices
    residuals = fold.train.values - model.bias_.predict(model.profiles_, rows, items)
    theirs = predicted_by(
        "cmfrec", replace(fold, train=replace(fold.train, values=residuals)), tmp_path
    )
    bias = model.bias_.predict(model.profiles_, fold.test_rows, fold.test_items)
    assert np.abs(theirs).max() > 0.5
    assert_allclose(ours - bias, theirs, atol=1e-6)


def test_implicit_als_gives_the_scores_of_implicit(fold, tmp_path):
    theirs = predicted_by("implicit-als", fold, tmp_path)
    config = ImplicitALSConfig(factors=16, ridge=60, alpha=10, iterations=15)
    model = ImplicitALS(config).fit(fold.train)
    scores = model._preferences(model._liked(model.profiles_))
    assert np.abs(theirs).max() > 0.5
    assert_allclose(scores[fold.test_rows, fold.test_items], theirs, atol=1e-6)
