import math
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from recommender.core.errors import Cancelled, FitError
from tests.recommender.core.training.runs import CONFIG, RATINGS, fit, is_same, stop_in_pass


def test_a_run_stopped_in_any_pass_and_resumed_is_the_uninterrupted_run(tmp_path):
    whole = fit()
    for number in (1, 2, 3, 4):
        checkpoint = tmp_path / f"{number}.safetensors"
        with pytest.raises(Cancelled):
            fit(checkpoint=checkpoint, progress=stop_in_pass(number))
        assert is_same(fit(checkpoint=checkpoint), whole)


@pytest.mark.parametrize("steps", [1, 6, 17, 30])
def test_a_run_stopped_after_any_step_and_resumed_is_the_uninterrupted_run(tmp_path, steps):
    done = []

    def stop(progress):
        done.append(progress.done)
        if len(done) > steps:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        fit(checkpoint=tmp_path / "c", progress=stop)
    assert is_same(fit(checkpoint=tmp_path / "c"), fit())


def test_a_resumed_run_does_not_repeat_steps(tmp_path):
    with pytest.raises(Cancelled):
        fit(checkpoint=tmp_path / "c", progress=stop_in_pass(3))
    seen = []
    fit(checkpoint=tmp_path / "c", progress=seen.append)
    steps = [progress.done for progress in seen if progress.phase == "training" and progress.done]
    # The step whose progress raised was taken but not yet written.
    assert 2 * RATINGS.n_ratings < steps[0] < 2 * RATINGS.n_ratings + 40
    assert steps[-1] == 4 * RATINGS.n_ratings


def test_the_time_limit_gives_the_model_so_far_and_the_run_is_resumed_later(tmp_path):
    part = fit(checkpoint=tmp_path / "c", max_seconds=0)
    assert not part.finished_
    assert part.train_rmse_ is not None
    assert part.loss_curve_[-1][0] < RATINGS.n_ratings
    whole = fit(checkpoint=tmp_path / "c", max_seconds=1000)
    assert whole.finished_
    assert is_same(whole, fit())


def test_a_time_limit_reached_with_the_last_step_changes_nothing():
    tiny = replace(CONFIG, epochs=1, batch_users=1000)
    assert fit(tiny, max_seconds=0).finished_


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.recommender.core.training.runs import fit

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
    assert is_same(fit(checkpoint=checkpoint), fit())


def test_a_loss_that_is_not_finite_ends_the_run():
    with pytest.raises(FitError, match="not finite"):
        fit(replace(CONFIG, learning_rate=1e25))


def test_weights_that_are_not_finite_are_refused_at_the_time_limit():
    """The loss of the step that broke them was still finite."""
    with pytest.raises(FitError, match="not finite"):
        fit(replace(CONFIG, learning_rate=1e39), max_seconds=0)


def test_wide_layers_do_not_hide_weights_that_are_not_finite():
    """Kernels for wide layers may differ; one that turns NaN to 0 would let training go on."""
    with pytest.raises(FitError, match="not finite"):
        fit(replace(CONFIG, hidden=(600,) * 5, learning_rate=1e8))


def test_progress_reports_pass_loss_and_time_left():
    seen = []
    fit(progress=seen.append)
    steps = [p for p in seen if p.phase == "training" and p.done]
    assert [p.done for p in steps] == sorted(p.done for p in steps)
    assert steps[-1].done == steps[-1].total == 4 * RATINGS.n_ratings
    assert {p.epoch for p in steps} == {1, 2, 3, 4}
    assert all(math.isfinite(p.loss) and p.seconds_left >= 0 for p in steps)
    assert steps[-1].seconds_left == 0
    assert seen[-1].phase == "measuring"
