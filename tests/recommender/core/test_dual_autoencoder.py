from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array

from recommender.core.algorithms import dual_network, dual_readout
from recommender.core.algorithms.base import implementation
from recommender.core.algorithms.dual_autoencoder import DualAutoencoder, check_config
from recommender.core.algorithms.dual_network import Member, Parts
from recommender.core.errors import Cancelled, ConfigurationError, FitError
from recommender.core.systems import (
    DualAutoencoderConfig,
    Progress,
    RunOptions,
    config_from_dict,
    config_to_dict,
    override,
    system,
)
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, random_ratings

TINY = DualAutoencoderConfig(
    hidden=16, epochs=30, learning_rate=1e-2, dual_dropout=0.0, item_dropout=0.0, ridge=0.3
)
QUICK = replace(TINY, epochs=4, dual_dropout=0.5, item_dropout=0.5)
RATINGS = random_ratings(2, n_users=20, n_items=15)


class TestTuned(SystemContract):
    system = "autoencoder"
    config = TINY


class TestSeveralMembers(SystemContract):
    system = "autoencoder"
    config = replace(TINY, dual_members=2, item_members=2, epochs=20)


def fit(config=QUICK, ratings=RATINGS, **options) -> DualAutoencoder:
    return DualAutoencoder(config).fit(ratings, options=RunOptions(threads=1, **options))


def same(left: DualAutoencoder, right: DualAutoencoder) -> bool:
    pairs = zip(left.to_arrays().items(), right.to_arrays().items(), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def everything(model, profiles):
    rows, items = np.divmod(np.arange(profiles.shape[0] * 15), 15)
    return model.predict(profiles, rows, items)


def test_preset_tuned_is_this_system():
    name, config = system("autoencoder").preset("tuned")
    assert name == "tuned"
    assert implementation("autoencoder", config) is DualAutoencoder
    assert implementation("autoencoder") is not DualAutoencoder


def test_its_configuration_is_told_from_the_papers():
    config = override(system("autoencoder").preset("tuned")[1], epochs=3, withheld_per_user=5)
    assert config == DualAutoencoderConfig(epochs=3)
    assert config_from_dict("autoencoder", config_to_dict(config)) == config


@pytest.mark.parametrize("kind", ["dual", "item"])
def test_gradients_are_those_of_finite_differences(kind):
    config = replace(QUICK, hidden=3, penalty=0.01)
    parts = Parts(RATINGS.matrix(), config, dtype=torch.float64)
    batch = parts.batch(next(parts.drawn(np.random.default_rng(0))))
    member = Member.drawn(kind, (20, 15), config, [0], dtype=torch.float64)

    def loss() -> float:
        # The same generator drops the same values each time.
        found, _ = member.learn(batch, torch.Generator().manual_seed(5))
        weights = sum((w**2).sum() for w in member.parameters.values() if w.ndim > 1)
        return float(((found - batch.targets) ** 2).mean() + config.penalty * weights)

    _, gradients = member.learn(batch, torch.Generator().manual_seed(5))
    assert gradients.keys() == member.parameters.keys()
    for name, weights in member.parameters.items():
        flat = weights.view(-1)
        for place in range(0, len(flat), 7):
            before = flat[place].item()
            flat[place] = before + 1e-6
            above = loss()
            flat[place] = before - 1e-6
            slope = (above - loss()) / 2e-6
            flat[place] = before
            assert gradients[name].view(-1)[place].item() == pytest.approx(slope, abs=1e-8)


def test_every_rating_is_withheld_once_in_a_pass():
    parts = Parts(RATINGS.matrix(), QUICK)
    masks = list(parts.drawn(np.random.default_rng(0)))
    assert_array_equal(np.sum(masks, axis=0), 1)
    assert len(masks) == 5
    shares = np.mean(masks, axis=1)
    assert shares.min() > 0.05
    assert shares.max() < 0.4


def test_a_withheld_rating_is_nowhere_in_what_the_networks_read():
    parts = Parts(RATINGS.matrix(), QUICK)
    withheld = next(parts.drawn(np.random.default_rng(0)))
    changed = RATINGS.matrix().copy()
    changed.data = np.where(withheld, 5.5 - changed.data, changed.data)
    one, other = parts.batch(withheld), Parts(changed, QUICK).batch(withheld)
    for side in ("users", "movies"):
        left, right = getattr(one, side), getattr(other, side)
        assert torch.equal(left.residuals.weights, right.residuals.weights)
        assert len(left.seen.columns) == np.count_nonzero(~withheld)
    assert not torch.equal(one.targets, other.targets)


def test_blocks_of_pairs_change_nothing(monkeypatch):
    whole = fit()
    monkeypatch.setattr(dual_network, "PAIRS_AT_ONCE", 4)
    monkeypatch.setattr(dual_readout, "PAIRS_AT_ONCE", 3)
    monkeypatch.setattr(dual_readout, "PROFILES_AT_ONCE", 2)
    assert same(fit(), whole)
    assert_array_equal(everything(fit(), RATINGS.matrix()), everything(whole, RATINGS.matrix()))


def test_the_number_of_threads_changes_nothing():
    two = DualAutoencoder(QUICK).fit(RATINGS, options=RunOptions(threads=2))
    assert_allclose(everything(two, RATINGS.matrix()), everything(fit(), RATINGS.matrix()))


def test_a_user_is_known_by_the_profile_alone():
    """Training profiles given anew, in another order, are answered as the model's own."""
    model, matrix = fit(), RATINGS.matrix()
    own = everything(model, matrix).reshape(20, 15)
    rows, items = np.divmod(np.arange(20 * 15), 15)
    assert_array_equal(model.predict(None, rows, items).reshape(20, 15), own)
    assert_allclose(everything(model, matrix[::-1]).reshape(20, 15)[::-1], own, atol=1e-6)


def test_an_edited_profile_is_answered_as_edited():
    model, dense = fit(), RATINGS.matrix().toarray()
    edited = dense.copy()
    movie = np.flatnonzero(edited[0])[0]
    edited[0, movie] = 5.5 - edited[0, movie]
    before, after = (everything(model, csr_array(one)).reshape(20, 15) for one in (dense, edited))
    assert not np.allclose(before[0], after[0])
    assert_allclose(before[1:], after[1:], atol=1e-6)


def test_item_members_solve_the_ridge_regression_of_the_profile():
    model = fit(replace(QUICK, dual_members=0))
    readout, matrix = model.readout_, RATINGS.matrix()
    codes = readout.members[0]["table"].astype(float)
    vectors = readout.vectors(matrix)[0]
    offsets = readout.bias.user_offsets(matrix)
    for user in range(20):
        own = matrix[[user]]
        rest = own.data - readout.bias.item_means()[own.indices] - offsets[user]
        X = codes[own.indices]
        solved = np.linalg.solve(X.T @ X + QUICK.ridge * np.eye(17), X.T @ rest)
        n = len(rest)
        assert_allclose(vectors[user], solved * n / (n + 1), rtol=1e-4, atol=1e-6)


def test_dual_members_read_profiles_as_in_training():
    config = replace(QUICK, item_members=0)
    parts = Parts(RATINGS.matrix(), config)
    member = Member.drawn("dual", (20, 15), config, [0])
    withheld = next(parts.drawn(np.random.default_rng(0)))
    kept = parts.kept(withheld)
    found, _ = member.learn(parts.batch(withheld), None)
    readout = dual_readout.Readout.of([member], kept, parts)
    pairs = readout.pairs(kept, parts.users[withheld], parts.movies[withheld])
    assert_allclose(pairs, found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 4, 5, 13])
def test_a_run_stopped_after_any_step_and_resumed_is_the_uninterrupted_run(tmp_path, steps):
    """Five steps make a pass."""
    options = {"checkpoint": tmp_path / "c", "checkpoint_seconds": 0}
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        if sum(one.done > 0 for one in seen) > steps:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fit(**options, progress=stop)
    stopped_at = seen[-1].done
    seen.clear()
    steps = 1000
    assert same(fit(**options, progress=stop), fit())
    assert next(one.done for one in seen if one.done) == stopped_at


def test_a_checkpoint_of_other_stars_for_the_same_movies_is_not_used(tmp_path):
    others = replace(RATINGS, values=RATINGS.values[::-1].copy())
    fit(checkpoint=tmp_path / "c")
    assert same(fit(ratings=others, checkpoint=tmp_path / "c"), fit(ratings=others))


def test_the_training_error_is_that_of_withheld_ratings():
    """On stars without any pattern it is far above that of a model which knows them."""
    model = fit(replace(TINY, epochs=1))
    assert model.train_rmse_ == pytest.approx(np.std(RATINGS.values), rel=0.2)


def test_one_part_is_measured_of_a_model_whose_time_was_up():
    def measured(**options) -> int:
        seen: list[Progress] = []
        model = fit(progress=seen.append, **options)
        assert model.train_rmse_ > 0
        return sum(step.phase == "measuring" for step in seen)

    assert measured() > measured(max_seconds=0) == 1


def test_each_member_is_another_network():
    model = fit(replace(QUICK, dual_members=2, item_members=2))
    tables = [member["table"] for member in model.readout_.members]
    assert len(tables) == 4
    assert not np.allclose(tables[0], tables[1])
    assert not np.allclose(tables[2], tables[3])


def test_the_average_is_that_of_the_members():
    model, matrix = fit(replace(QUICK, dual_members=2)), RATINGS.matrix()
    readout = model.readout_
    alone = [replace(readout, members=[member]).grid(matrix) for member in readout.members]
    assert_allclose(readout.grid(matrix), np.mean(alone, axis=0), atol=1e-6)


def test_one_rating_is_too_few():
    with pytest.raises(FitError, match="too few to withhold"):
        fit(ratings=of_dense(np.array([[4.0]])))


def test_two_ratings_are_enough():
    model = fit(ratings=of_dense(np.array([[4.0, 0], [0, 3.0]])))
    assert np.isfinite(model.predict(None, np.array([0, 1]), np.array([1, 0]))).all()


@pytest.mark.parametrize(
    "values",
    [
        {"dual_members": -1},
        {"dual_members": 0, "item_members": 0},
        {"hidden": 0},
        {"epochs": 0},
        {"withheld": (0.0, 0.3)},
        {"withheld": (0.3, 0.6)},
        {"withheld": (0.01, 0.5)},  # of which 94 % could be withheld at once
        {"withheld": (1e-6, 1e-6)},  # a million parts
        {"withheld": (0.3, 0.1)},
        {"withheld": (0.1,)},
        {"learning_rate": 0.0},
        {"warmup_steps": -1},
        {"dual_dropout": 1.0},
        {"item_dropout": -0.1},
        {"penalty": -1.0},
        {"ridge": 0.0},
        {"trust": -1.0},
    ],
)
def test_a_configuration_that_cannot_be_trained_is_refused(values):
    with pytest.raises(ConfigurationError, match=list(values)[-1]):
        fit(replace(QUICK, **values))


def test_a_refusal_names_field_value_and_range():
    with pytest.raises(ConfigurationError) as refused:
        fit(replace(QUICK, withheld=(0.01, 0.5), ridge=-1.0))
    assert "withheld=(0.01, 0.5) (two shares from 0.001 to 0.5, the first" in str(refused.value)
    assert "ridge=-1.0 (above 0)" in str(refused.value)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 0.5), st.floats(1 / 3, 1), st.integers(0, 1000))
def test_no_setting_withholds_two_thirds_at_once(most, ratio, seed):
    config = replace(QUICK, withheld=(max(0.001, most * ratio), most))
    check_config(config)
    ratings = csr_array(np.ones((40, 50), np.float32))
    masks = list(Parts(ratings, config).drawn(np.random.default_rng(seed)))
    assert_array_equal(np.sum(masks, axis=0), 1)
    assert np.mean(masks, axis=1).max() < 2 / 3


def test_a_loss_that_is_no_number_stops_the_run():
    with pytest.raises(FitError, match="Lower learning_rate"):
        fit(replace(QUICK, learning_rate=1e25))


@pytest.mark.gpu
def test_a_gpu_learns_what_the_processor_learns():
    config = replace(QUICK, dual_dropout=0.0, item_dropout=0.0)
    models = [fit(config, device=device) for device in ("cpu", "cuda")]
    assert_allclose(*(everything(model, RATINGS.matrix()) for model in models), atol=1e-2)
