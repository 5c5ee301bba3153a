from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from scipy.sparse import csr_array

from recommender.core.algorithms.base import implementation
from recommender.core.algorithms.dual_autoencoder.model import (
    DualAutoencoder,
    WithheldPartsTask,
    _identity,
)
from recommender.core.algorithms.dual_autoencoder.network import MemberNetwork
from recommender.core.algorithms.dual_autoencoder.parts import RatingParts
from recommender.core.configs.networks import DualAutoencoderConfig
from recommender.core.errors import Cancelled, ConfigurationError, FitError
from recommender.core.runs import Progress, RunOptions
from recommender.core.systems import config_from_dict, config_to_dict, override, system
from tests.recommender.core.contract import SystemContract
from tests.recommender.core.matrices import of_dense, random_ratings

TINY = DualAutoencoderConfig(
    hidden=16, epochs=30, learning_rate=1e-2, dual_dropout=0.0, item_dropout=0.0, ridge=0.3
)
QUICK = replace(TINY, epochs=4, dual_dropout=0.5, item_dropout=0.5)
RATINGS = random_ratings(2, n_users=20, n_items=15)


class TestDualAutoencoder(SystemContract):
    system = "dual-autoencoder"
    config = TINY


class TestFewReaders(SystemContract):
    system = "dual-autoencoder"
    config = replace(TINY, most_readers=15, epochs=40)


class TestSeveralMembers(SystemContract):
    system = "dual-autoencoder"
    config = replace(TINY, dual_members=2, item_members=2, epochs=20)


def fit(config=QUICK, ratings=RATINGS, **options) -> DualAutoencoder:
    return DualAutoencoder(config).fit(ratings, options=RunOptions(threads=1, **options))


def same(left: DualAutoencoder, right: DualAutoencoder) -> bool:
    pairs = zip(left.to_arrays().items(), right.to_arrays().items(), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def everything(model, profiles):
    rows, items = np.divmod(np.arange(profiles.shape[0] * 15), 15)
    return model.predict(profiles, rows, items)


def test_a_configuration_of_its_former_name_is_recognised_by_its_fields():
    config = override(system("dual-autoencoder").preset("tuned")[1], epochs=3, withheld_per_user=5)
    assert config == DualAutoencoderConfig(epochs=3)
    assert config_from_dict("autoencoder", config_to_dict(config)) == config
    assert implementation("autoencoder", config) is DualAutoencoder


def test_the_number_of_threads_changes_nothing():
    two = DualAutoencoder(QUICK).fit(RATINGS, options=RunOptions(threads=2))
    assert_allclose(everything(two, RATINGS.matrix()), everything(fit(), RATINGS.matrix()))


def test_a_training_user_is_predicted_like_an_unknown_user_with_the_same_profile():
    model, matrix = fit(), RATINGS.matrix()
    own = everything(model, matrix).reshape(20, 15)
    rows, items = np.divmod(np.arange(20 * 15), 15)
    assert_array_equal(model.predict(None, rows, items).reshape(20, 15), own)
    assert_allclose(everything(model, matrix[::-1]).reshape(20, 15)[::-1], own, atol=1e-6)


def test_an_edited_profile_changes_only_its_own_predictions():
    model, dense = fit(), RATINGS.matrix().toarray()
    edited = dense.copy()
    item = np.flatnonzero(edited[0])[0]
    edited[0, item] = 5.5 - edited[0, item]
    before, after = (everything(model, csr_array(one)).reshape(20, 15) for one in (dense, edited))
    assert not np.allclose(before[0], after[0])
    assert_allclose(before[1:], after[1:], atol=1e-6)


def test_the_penalty_is_only_in_the_gradient_of_the_matrices():
    config, penalty = replace(TINY, penalty=0.1), 0.1
    parts, member = (
        RatingParts(RATINGS.matrix(), config),
        MemberNetwork("item", (20, 15), config, [0]),
    )
    part = parts.prepare(next(parts.draw_masks(np.random.default_rng(0))))
    predicted = member(part.blocks[0](), member.code_items(part, None), None)
    loss = torch.nn.functional.mse_loss(predicted, part.targets)
    loss += penalty * sum(w.square().sum() for w in member.parameters() if w.ndim > 1)
    wanted = torch.autograd.grad(loss, list(member.parameters()))
    task = WithheldPartsTask({"item-0": member}, parts, config)
    task.step(part, 0.0, torch.Generator())
    moments = [task.optimisers["item-0"].state[w]["exp_avg"] for w in member.parameters()]
    assert len(moments) == 5
    for moment, gradient in zip(moments, wanted, strict=True):
        assert_allclose(moment / (1 - 0.9), gradient, rtol=1e-4, atol=1e-7)  # beta1 is 0.9


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


def test_a_run_resumes_from_a_checkpoint_of_the_hand_written_optimiser(tmp_path):
    """It named the arrays as now, but counted steps in integers."""
    target, steps = tmp_path / "c", ["dual-0.movies.given", "item-1.vectors"]
    partial = fit(checkpoint=target, checkpoint_seconds=0, max_seconds=0)
    assert not partial.finished_
    with safe_open(target, framework="numpy") as file:
        facts = file.metadata()
    arrays = load_file(target)
    assert {f"adam.{kind}.{name}" for kind in ("mean", "square") for name in steps} <= set(arrays)
    for name in arrays:
        if name.startswith("adam.steps."):
            arrays[name] = arrays[name].astype(np.int64)
    save_file(arrays, target, facts)
    assert same(fit(checkpoint=target), fit())


def test_a_checkpoint_of_other_ratings_of_the_same_items_is_not_used(tmp_path):
    others = replace(RATINGS, values=RATINGS.values[::-1].copy())
    fit(checkpoint=tmp_path / "c")
    assert same(fit(ratings=others, checkpoint=tmp_path / "c"), fit(ratings=others))


def test_the_training_error_is_that_of_withheld_ratings():
    """On random ratings it is far above the error of a model that has seen them."""
    model = fit(replace(TINY, epochs=1))
    assert model.train_rmse_ == pytest.approx(np.std(RATINGS.values), rel=0.2)


def test_the_training_error_of_a_partial_model_is_measured_on_one_part():
    def measured(**options) -> int:
        seen: list[Progress] = []
        model = fit(progress=seen.append, **options)
        assert model.train_rmse_ > 0
        return sum(step.phase == "measuring" for step in seen)

    assert measured() > measured(max_seconds=0) == 1


def test_a_penalty_per_rating_is_divided_by_the_number_of_ratings():
    ours = replace(QUICK, penalty=0.0, penalty_per_rating=RATINGS.n_ratings * QUICK.penalty)
    assert_allclose(everything(fit(ours), RATINGS.matrix()), everything(fit(), RATINGS.matrix()))


def test_settings_that_came_later_do_not_part_a_run_from_its_checkpoint():
    known = set(_identity(DualAutoencoderConfig(), RATINGS)["config"])
    assert known == {
        *("dual_members", "item_members", "hidden", "epochs", "withheld", "learning_rate"),
        *("warmup_steps", "dual_dropout", "item_dropout", "penalty", "ridge", "trust"),
    }
    assert "most_readers" in _identity(DualAutoencoderConfig(most_readers=5), RATINGS)["config"]


def test_one_rating_is_too_few():
    with pytest.raises(FitError):
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
        {"withheld": (0.01, 0.5)},  # 94 % could be withheld at once
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
        {"penalty_per_rating": -1.0},
        {"most_readers": -1},
    ],
)
def test_a_configuration_that_cannot_be_trained_is_refused(values):
    with pytest.raises(ConfigurationError, match=list(values)[-1]):
        fit(replace(QUICK, **values))


def test_the_message_names_field_value_and_range():
    with pytest.raises(ConfigurationError) as refused:
        fit(replace(QUICK, withheld=(0.01, 0.5), ridge=-1.0))
    assert "withheld=(0.01, 0.5) (two shares" in str(refused.value)
    assert "ridge=-1.0 (above 0)" in str(refused.value)


def test_a_loss_that_is_nan_stops_the_run():
    with pytest.raises(FitError):
        fit(replace(QUICK, learning_rate=1e25))


@pytest.mark.gpu
def test_a_gpu_learns_what_the_processor_learns():
    config = replace(QUICK, dual_dropout=0.0, item_dropout=0.0)
    models = [fit(config, device=device) for device in ("cpu", "cuda")]
    assert_allclose(*(everything(model, RATINGS.matrix()) for model in models), atol=1e-2)
