import math
import signal
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file

from recommender.core.algorithms.autoencoder import Autoencoder
from recommender.core.algorithms.network import Network
from recommender.core.errors import Cancelled, ConfigurationError, FitError, OutOfMemory
from recommender.core.systems import AutoencoderConfig, RunOptions
from recommender.core.training import (
    Adam,
    LossCurve,
    checkpoints,
    half_precision,
    loop,
    resolve_device,
)
from recommender.core.training.ahead import ahead
from recommender.core.training.checkpoints import Checkpoints
from tests.recommender.core.matrices import random_ratings

CONFIG = AutoencoderConfig(
    hidden=(12, 8, 6, 4, 6, 8, 12), epochs=4, learning_rate=1e-3, batch_users=4, dropout=0.2
)
RATINGS = random_ratings(2, n_users=20, n_items=15)


def fit(config=CONFIG, ratings=RATINGS, **options) -> Autoencoder:
    return Autoencoder(config).fit(
        ratings, options=RunOptions(threads=1, **{"checkpoint_seconds": 0, **options})
    )


def stop_in_pass(number):
    def listener(progress):
        if progress.epoch == number:
            raise Cancelled("stop")

    return listener


def same(left: Autoencoder, right: Autoencoder) -> bool:
    pairs = zip(left.to_arrays().items(), right.to_arrays().items(), strict=True)
    return all(a == b and np.array_equal(x, y) for (a, x), (b, y) in pairs)


def test_a_run_stopped_in_any_pass_and_resumed_is_the_uninterrupted_run(tmp_path):
    whole = fit()
    for number in (1, 2, 3, 4):
        checkpoint = tmp_path / f"{number}.safetensors"
        with pytest.raises(Cancelled):
            fit(checkpoint=checkpoint, progress=stop_in_pass(number))
        assert same(fit(checkpoint=checkpoint), whole)


@pytest.mark.parametrize("steps", [1, 6, 17, 30])
def test_a_run_stopped_after_any_step_and_resumed_is_the_uninterrupted_run(tmp_path, steps):
    done = []

    def stop(progress):
        done.append(progress.done)
        if len(done) > steps:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fit(checkpoint=tmp_path / "c", progress=stop)
    assert same(fit(checkpoint=tmp_path / "c"), fit())


def test_a_resumed_run_does_not_repeat_steps(tmp_path):
    with pytest.raises(Cancelled):
        fit(checkpoint=tmp_path / "c", progress=stop_in_pass(3))
    seen = []
    fit(checkpoint=tmp_path / "c", progress=seen.append)
    steps = [progress.done for progress in seen if progress.phase == "training" and progress.done]
    # The step whose progress raised was taken but not yet written.
    assert 2 * RATINGS.n_ratings < steps[0] < 2 * RATINGS.n_ratings + 40
    assert steps[-1] == 4 * RATINGS.n_ratings


def test_a_run_whose_time_is_up_gives_the_model_so_far_and_goes_on_later(tmp_path):
    part = fit(checkpoint=tmp_path / "c", max_seconds=0)
    assert not part.finished_
    assert part.train_rmse_ is not None
    assert part.loss_curve_[-1][0] < RATINGS.n_ratings
    whole = fit(checkpoint=tmp_path / "c", max_seconds=1000)
    assert whole.finished_
    assert same(whole, fit())


def test_time_that_is_up_with_the_last_step_changes_nothing():
    tiny = replace(CONFIG, epochs=1, batch_users=1000)
    assert fit(tiny, max_seconds=0).finished_


def test_a_checkpoint_that_takes_long_to_write_is_written_seldom(tmp_path, monkeypatch):
    clock = iter([0.0, 10.0, 13.0, 60.0, 80.0])
    # The module's own name: other threads go on by the clock.
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    book = Checkpoints(tmp_path / "c", "run", every_seconds=5)
    book.write({}, {})  # from 10 to 13: three seconds
    assert not book.are_due()  # at 60
    assert book.are_due()  # at 80


def test_a_checkpoint_is_a_safetensors_file(tmp_path):
    arrays = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": np.arange(3)[::-1],
        "none": np.empty((0, 2)),
    }
    Checkpoints(tmp_path / "c", "run", 0).write(arrays, {"epoch": 3})
    found = load_file(tmp_path / "c")
    assert found.keys() == arrays.keys()
    assert all(np.array_equal(found[name], array) for name, array in arrays.items())
    read, facts = Checkpoints(tmp_path / "c", "run", 0).read()
    assert facts == {"epoch": 3}
    assert dict(read)["b"].tolist() == [2, 1, 0]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.recommender.core.test_training import fit

def kill(progress):
    if progress.epoch == 3 and progress.done % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)

fit(checkpoint=Path(sys.argv[1]), progress=kill)
"""


def test_a_killed_run_is_resumed_bit_for_bit(tmp_path):
    checkpoint = tmp_path / "run.safetensors"
    dead = subprocess.run([sys.executable, "-c", KILLED, str(checkpoint)], timeout=600)
    assert dead.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == [checkpoint]
    assert same(fit(checkpoint=checkpoint), fit())


def test_a_run_killed_while_writing_leaves_no_stray_file(tmp_path):
    (tmp_path / ".run.partial").write_bytes(b"half a checkpoint")
    assert same(fit(checkpoint=tmp_path / "run"), fit())
    assert list(tmp_path.iterdir()) == [tmp_path / "run"]


@pytest.mark.parametrize(
    "other",
    [
        {"config": replace(CONFIG, learning_rate=2e-3)},
        {"ratings": random_ratings(3, n_users=20, n_items=15)},
        {"ratings": replace(RATINGS, values=RATINGS.values[::-1].copy())},
        {"seed": 1},
    ],
)
def test_a_checkpoint_of_another_run_is_not_used(tmp_path, other):
    fit(checkpoint=tmp_path / "c")
    assert same(fit(**other, checkpoint=tmp_path / "c"), fit(**other))


def test_a_checkpoint_tells_of_every_version_of_the_code_that_learned_it(tmp_path):
    fit(checkpoint=tmp_path / "c", version="old", max_seconds=0)
    assert checkpoints.versions(tmp_path / "c") == ["old"]
    fit(checkpoint=tmp_path / "c", version="newer", max_seconds=0)  # which learns nothing
    assert checkpoints.versions(tmp_path / "c") == ["old"]
    fit(checkpoint=tmp_path / "c", version="new")
    assert checkpoints.versions(tmp_path / "c") == ["old", "new"]
    assert checkpoints.versions(tmp_path / "none") == []


def test_a_checkpoint_of_another_layout_is_not_used(tmp_path, monkeypatch):
    fit(checkpoint=tmp_path / "c", max_seconds=0)
    monkeypatch.setattr(loop, "LAYOUT", loop.LAYOUT + 1)
    seen = []
    fit(checkpoint=tmp_path / "c", max_seconds=0, progress=seen.append)
    assert [step.epoch for step in seen if step.phase == "training" and step.done] == [1]


def test_a_damaged_checkpoint_is_not_used(tmp_path):
    fit(checkpoint=tmp_path / "c")
    content = (tmp_path / "c").read_bytes()
    (tmp_path / "c").write_bytes(content[: len(content) // 2])
    assert same(fit(checkpoint=tmp_path / "c"), fit())


def test_another_seed_is_another_model():
    assert not same(fit(seed=1), fit(seed=2))


def test_a_loss_that_is_no_number_stops_the_run():
    with pytest.raises(FitError, match="Lower learning_rate"):
        fit(replace(CONFIG, learning_rate=1e25))


def test_weights_that_are_no_numbers_are_no_model_when_time_is_up():
    """The loss of the step that broke them was still a number."""
    with pytest.raises(FitError, match="Lower learning_rate"):
        fit(replace(CONFIG, learning_rate=1e39), max_seconds=0)


def test_wide_layers_hide_no_weight_that_is_no_number():
    """Their kernels are others: one of them would take NaN for 0, and learning would go on."""
    with pytest.raises(FitError, match="Lower learning_rate"):
        fit(replace(CONFIG, hidden=(600,) * 5, learning_rate=1e8))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes"),
    ],
)
def test_too_little_memory_is_told_with_its_remedy(monkeypatch, error):
    def full(*args):
        raise error

    monkeypatch.setattr(Network, "gradients", full)
    with pytest.raises(OutOfMemory, match="use the preset compact"):
        fit()


def test_an_error_of_another_kind_is_not_called_lack_of_memory(monkeypatch):
    def broken(*args):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(Network, "gradients", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        fit()


def test_the_number_of_threads_is_put_back():
    before = torch.get_num_threads()
    fit()
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("at_once", [False, True])
def test_work_that_is_made_ahead_comes_in_its_order(at_once):
    made = ahead(lambda n: n * n, iter(range(5)), "cpu", at_once=at_once)
    assert list(made) == [0, 1, 4, 9, 16]
    assert list(ahead(str, [], "cpu", at_once=at_once)) == []


def test_work_ahead_is_one_thing_ahead():
    begun = []
    made = ahead(begun.append, range(5), "cpu", at_once=True)
    next(made)
    made.close()
    assert begun in ([0, 1], [0])  # the second may have been given up before it began


def test_an_error_ahead_is_raised_where_its_result_is_used():
    made = ahead(lambda n: 1 // n, [1, 0], "cpu", at_once=True)
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_progress_tells_pass_loss_and_time_left():
    seen = []
    fit(progress=seen.append)
    steps = [p for p in seen if p.phase == "training" and p.done]
    assert [p.done for p in steps] == sorted(p.done for p in steps)
    assert steps[-1].done == steps[-1].total == 4 * RATINGS.n_ratings
    assert {p.epoch for p in steps} == {1, 2, 3, 4}
    assert all(math.isfinite(p.loss) and p.seconds_left >= 0 for p in steps)
    assert steps[-1].seconds_left == 0
    assert seen[-1].phase == "measuring"


def test_a_point_of_the_loss_curve_is_the_error_of_a_thousand_examples():
    errors = np.random.default_rng(0).normal(0, 1, 2_500)
    curve = LossCurve()
    for part in np.split(errors**2, [7, 900, 2_100]):
        curve.add(part)
    points = curve.thinned()
    assert [seen for seen, _ in points] == [1000, 2500]
    wanted = [np.sqrt(np.mean(part**2)) for part in np.split(errors, [1000])]
    assert [loss for _, loss in points] == pytest.approx(wanted)


def test_the_few_examples_left_over_make_no_point_of_their_own():
    curve = LossCurve()
    curve.add(np.repeat([1.0, 4.0, 100.0], [1000, 1000, 3]))
    assert curve.thinned()[0] == (1000, 1.0)
    assert curve.thinned()[1:] == [(2003, pytest.approx(np.sqrt((4000 + 300) / 1003)))]


def test_fewer_examples_than_make_a_point_are_one_point():
    curve = LossCurve()
    curve.add(np.full(7, 9.0))
    assert curve.thinned() == [(7, 3.0)]


def test_a_long_loss_curve_is_thinned_to_five_hundred_points():
    curve = LossCurve()
    curve.add(np.arange(1_203_456) % 7.0)
    points = curve.thinned()
    assert 250 < len(points) <= 500
    assert points[-1][0] == 1_203_456
    assert points[0][1] == pytest.approx(np.sqrt(3), rel=1e-3)


def test_no_examples_make_no_curve():
    assert LossCurve().thinned() == []


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_dense_updates_are_those_of_torch(decay):
    torch.manual_seed(0)
    start = torch.randn(4, 3, dtype=torch.float64)
    ours, theirs = start.clone(), start.clone().requires_grad_()
    adam, reference = Adam(decay), torch.optim.AdamW([theirs], lr=0.01, weight_decay=decay)
    for _ in range(5):
        gradient = torch.randn_like(start)
        adam.update("w", ours, gradient, 0.01)
        theirs.grad = gradient
        reference.step()
    assert torch.allclose(ours, theirs.detach(), rtol=0, atol=1e-14)


def test_row_updates_are_those_of_torchs_sparse_adam():
    """But for epsilon, which torch adds before the correction there and after it elsewhere."""
    torch.manual_seed(0)
    start = torch.randn(6, 3, dtype=torch.float64)
    ours, theirs = start.clone(), start.clone().requires_grad_()
    adam, reference = Adam(), torch.optim.SparseAdam([theirs], lr=0.01)
    for rows in ([0, 2], [2, 5], [1], [0, 1, 2, 3]):
        gradient = torch.randn(len(rows), 3, dtype=torch.float64)
        adam.update("w", ours, gradient, 0.01, torch.tensor(rows))
        theirs.grad = torch.sparse_coo_tensor(
            torch.tensor([rows]), gradient, (6, 3), check_invariants=True
        )
        reference.step()
    assert torch.allclose(ours, theirs.detach(), rtol=0, atol=1e-6)
    assert_array_equal(ours[4], start[4])


def test_the_device_is_found_or_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == "cpu"
    with pytest.raises(ConfigurationError, match="no CUDA device"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == resolve_device("cuda") == "cuda"
    assert resolve_device("cuda:1") == "cuda:1"
    for unknown in ("tpu", "cpu:1", "cuda:x"):
        with pytest.raises(ConfigurationError, match="Choose from: auto, cpu, cuda"):
            resolve_device(unknown)


def test_products_are_halved_where_they_are_asked_to_be():
    assert half_precision(RunOptions()) is None
    assert half_precision(RunOptions(precision="bfloat16")) == torch.bfloat16
    assert half_precision(RunOptions(precision="float32", device="cuda")) is None
    with pytest.raises(ConfigurationError, match="auto, float32, bfloat16"):
        half_precision(RunOptions(precision="int8"))


def test_halved_products_learn_nearly_the_same():
    config = replace(CONFIG, dropout=0.0, target="residual", epochs=20)
    rows, items = np.divmod(np.arange(20 * 15), 15)
    stars = [
        fit(config, precision=precision).predict(None, rows, items)
        for precision in ("float32", "bfloat16")
    ]
    assert 0 < np.abs(stars[0] - stars[1]).mean() < 0.05
