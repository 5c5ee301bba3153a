"""Early stopping: what is measured, which pass is kept, and how a run is resumed."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from recommender.core.algorithms.autoencoder import model as autoencoder
from recommender.core.algorithms.autoencoder.model import Autoencoder
from recommender.core.errors import Cancelled
from recommender.core.splitting import newest_slice
from recommender.core.training import loop
from recommender.core.training.early_stopping import EarlyStopping
from tests.recommender.core.training.runs import CONFIG, RATINGS, fit, is_same, stop_in_pass

EARLY = replace(CONFIG, epochs=40, learning_rate=1e-2, patience=2, validation_share=0.2)


def has_same_weights(left: Autoencoder, right: Autoencoder) -> bool:
    weights = (model.network_.parameters() for model in (left, right))
    return all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def best_pass(config) -> int:
    """The pass, counted from 1, after which the newest ratings are predicted best."""
    errors: list[float] = []

    class Recording(EarlyStopping):
        def restore_best(self) -> None:
            errors.extend(self.errors)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autoencoder, "EarlyStopping", Recording)
        fit(config)
    return 1 + int(np.argmin(errors))


def without_validation():
    """The ratings without those held out for validation."""
    return RATINGS.select(~newest_slice(RATINGS, EARLY.validation_share, 0))


def test_training_stops_when_the_validation_error_no_longer_falls():
    model = fit(EARLY)
    passes = model.loss_curve_[-1][0] / (0.8 * RATINGS.n_ratings)
    assert 2 < passes < 39
    assert model.finished_
    # Two passes fewer end with the same weights, those of the best pass.
    sooner = replace(EARLY, epochs=round(passes) - 2, patience=100)
    assert np.array_equal(*(m.to_arrays()["network.first"] for m in (model, fit(sooner))))


def test_an_early_stopped_run_that_is_resumed_is_the_uninterrupted_run(tmp_path):
    whole = fit(EARLY)
    for number in (1, 3):
        with pytest.raises(Cancelled):
            fit(EARLY, checkpoint=tmp_path / f"{number}", progress=stop_in_pass(number))
        assert is_same(fit(EARLY, checkpoint=tmp_path / f"{number}"), whole)
    assert is_same(fit(EARLY, checkpoint=tmp_path / "3"), whole)  # from its end


@pytest.fixture
def time_limit_in_pass(monkeypatch):
    """Options of a run that reaches its time limit in the given pass, by a clock of its own."""

    def options(number):
        clock = [0.0]
        monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: clock[0]))

        def progress(now):
            clock[0] = 100.0 if now.epoch >= number else 0.0

        return {"max_seconds": 60.0, "progress": progress}

    return options


def test_at_the_time_limit_the_best_pass_so_far_is_kept(time_limit_in_pass):
    worse_at_last = replace(EARLY, patience=100)
    best = best_pass(worse_at_last)
    part = fit(worse_at_last, **time_limit_in_pass(best + 4))
    assert not part.finished_
    assert has_same_weights(part, fit(replace(worse_at_last, epochs=best)))


def test_in_the_first_pass_the_weights_of_the_last_step_are_kept(time_limit_in_pass):
    part, plain = (
        fit(replace(EARLY, patience=patience), ratings, **time_limit_in_pass(1))
        for patience, ratings in ((2, RATINGS), (0, without_validation()))
    )
    assert has_same_weights(part, plain)


def test_a_run_is_resumed_from_its_last_step_not_from_its_best_pass(tmp_path, time_limit_in_pass):
    whole = fit(EARLY)
    for number in (1, 2, best_pass(EARLY) + 2):
        checkpoint = tmp_path / str(number)
        assert not fit(EARLY, checkpoint=checkpoint, **time_limit_in_pass(number)).finished_
        assert is_same(fit(EARLY, checkpoint=checkpoint), whole)


def test_validation_ratings_are_not_learned_from():
    """Other validation ratings leave the weights after a fixed number of passes the same."""
    config = replace(EARLY, epochs=1)
    newest = newest_slice(RATINGS, 0.2, 0)
    values = np.where(newest, 5.5 - RATINGS.values, RATINGS.values).astype(np.float32)
    other = replace(RATINGS, values=values)
    arrays = [fit(config, ratings).to_arrays() for ratings in (RATINGS, other)]
    assert np.array_equal(*(found["network.middle.2"] for found in arrays))
    assert not np.array_equal(*(found["profiles.values"] for found in arrays))
