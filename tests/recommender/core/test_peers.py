"""Presets named after other libraries predict the same as these, on fold u1 of ml-100k."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from recommender.core.algorithms.user_knn import UserKNN
from recommender.core.neighbours.similarity import UserIndex
from recommender.core.readers.source import read_source
from recommender.core.splitting import split
from recommender.core.systems import system
from tests.requirements import need

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parents[3]
PEERS = ROOT / ".venv-peers" / "bin" / "python"
CLOSE = 1e-5
NOISE = 1e-6  # LensKit keeps similarities in float32


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


def reachable_by_other_ties(fold, config, row, item):
    """The least and largest prediction over all choices among the users tied at rank k.

    None where ranks k and k + 1 are not tied, so there is no choice.
    """
    matrix = fold.train.matrix()
    index = UserIndex(matrix, fold.train.scale, config)
    (ranked,) = index.ranked(matrix[[row]], exclude=np.array([row]))
    given = matrix[:, [item]].toarray()[ranked.users, 0].astype(float)
    similarities, users = ranked.similarities[given > 0], ranked.users[given > 0]
    given, k = given[given > 0], config.k
    if len(given) <= k or similarities[k - 1] - similarities[k] > NOISE:
        return None
    if config.centre == "everything":
        given = given - [matrix[[user]].data.mean() for user in users]
    tied = np.abs(similarities - similarities[k - 1]) <= NOISE
    sure = (similarities > similarities[k - 1]) & ~tied
    left = k - sure.sum()
    weight = similarities[:k].sum()
    total = (similarities * given)[sure].sum()
    choices = np.sort(similarities[k - 1] * given[tied])
    own = matrix[[row]].data.mean() if config.centre == "everything" else 0
    return (
        own + (total + choices[:left].sum()) / weight,
        own + (total + choices[len(choices) - left :].sum()) / weight,
    )


@pytest.mark.parametrize(("preset", "most_tied"), [("surprise", 0.03), ("lenskit", 0.001)])
def test_a_preset_predicts_the_same_as_its_library(fold, tmp_path, capsys, preset, most_tied):
    theirs = predicted_by(preset, fold, tmp_path)
    config = system("user-knn").presets[preset]
    model = UserKNN(config).fit(fold.train)
    ours = model._predict(model.profiles_, fold.test_rows, fold.test_items, training=True)
    made = np.isfinite(theirs)
    differ = made & (np.abs(ours - theirs) > CLOSE)
    with capsys.disabled():
        print(f"\n{preset}: {made.sum()} predictions, {differ.sum()} differ")
    assert made.mean() > 0.99
    assert differ.mean() < most_tied
    for place in np.flatnonzero(differ):
        bounds = reachable_by_other_ties(
            fold, config, fold.test_rows[place], fold.test_items[place]
        )
        assert bounds is not None, f"pair {place} differs without a tie at rank k"
        assert bounds[0] - CLOSE <= theirs[place] <= bounds[1] + CLOSE
        assert bounds[0] - CLOSE <= ours[place] <= bounds[1] + CLOSE


def test_the_damped_bias_replaces_missing_predictions_of_lenskit(fold, tmp_path):
    theirs = predicted_by("lenskit", fold, tmp_path)
    model = UserKNN(system("user-knn").presets["lenskit"]).fit(fold.train)
    missing = np.isnan(theirs)
    rows, items = fold.test_rows[missing], fold.test_items[missing]
    bias = model.bias_.predict(model.profiles_, rows, items)
    assert_allclose(model._predict(model.profiles_, rows, items, training=True), bias, atol=1e-9)
